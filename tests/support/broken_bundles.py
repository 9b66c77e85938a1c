"""Bundles broken on purpose, each in one way that MWAA would take without a word."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from infra.build import zipped

Files = dict[str, bytes]

OLD = "amazon[aiobotocore]==9.34.0"


def requirements(files: Files, change: Callable[[str], str]) -> Files:
    return {**files, "requirements.txt": change(files["requirements.txt"].decode()).encode()}


def without_sql(files: Files) -> Files:
    return {name: files[name] for name in files if not name.startswith("dags/include/")}


def without_one_template(files: Files) -> Files:
    return {name: files[name] for name in files if not name.endswith("/read_file_accounts.sql")}


def without_constraint_line(files: Files) -> Files:
    return requirements(files, lambda text: text.partition("\n")[2])


def with_the_images_provider(files: Files) -> Files:
    return requirements(files, lambda text: text.replace("amazon[aiobotocore]==9.39.0", OLD))


def without_aiobotocore(files: Files) -> Files:
    return requirements(files, lambda text: text.replace("[aiobotocore]", ""))


def with_the_folder_in_the_archive(files: Files) -> Files:
    with zipfile.ZipFile(io.BytesIO(files["plugins.zip"])) as opened:
        inside = {f"plugins/{name}": opened.read(name) for name in opened.namelist()}
    return {**files, "plugins.zip": zipped(inside)}


def without_the_wheels(files: Files) -> Files:
    lines = "\n--find-links /usr/local/airflow/plugins\n--no-index\n"
    return requirements(files, lambda text: text.replace("\n", lines, 1))


def without_hashes(files: Files) -> Files:
    return requirements(files, lambda text: text.replace("--hash=", "# "))


def without_constraints(files: Files) -> Files:
    return {name: files[name] for name in files if name != "dags/constraints.txt"}
