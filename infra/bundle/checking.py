"""What is wrong with a bundle that MWAA would take without a word.

MWAA reports no fault of these: it logs what it could not install and goes on with its image's
versions, and a template that is missing fails the first task that reads it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Final

from infra.bundle.requirements import (
    CONSTRAINT_LINE,
    NO_INDEX_LINES,
    Requirement,
    RequirementError,
    read_requirements,
)
from infra.bundle.wheels import wheel_of

AMAZON: Final = "apache-airflow-providers-amazon"

OLDEST_AMAZON: Final = (9, 35)
"""As `custody.tasks.provider`: older ones take a stopped Glue run for a success."""

DEFERRING: Final = "aiobotocore"
"""Extra of the Amazon provider without which no deferred task runs."""

_TEMPLATE = re.compile(r"[\"']((?:\w+/)+\w+\.sql)[\"']")


def faults(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with a bundle, by the names and bytes of its files; nothing if it is right."""
    try:
        plugins = _unzipped(files["plugins.zip"])
        text = files["requirements.txt"].decode()
        packages = read_requirements(text)
        constraints = read_requirements(files["dags/constraints.txt"].decode())
    except KeyError as error:
        return [f"{error.args[0]} is missing"]
    except (RequirementError, zipfile.BadZipFile) as error:
        return [str(error)]
    return [
        *_faults_of_templates(files, plugins),
        *_faults_of_plugins(plugins),
        *_faults_of_requirements(text, packages, constraints),
        *_faults_of_wheels(text, packages, plugins),
    ]


def _unzipped(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _faults_of_templates(files: Mapping[str, bytes], plugins: Mapping[str, bytes]) -> Iterator[str]:
    sources = {
        **{name: content for name, content in files.items() if name.startswith("dags/")},
        **{name: content for name, content in plugins.items() if name.startswith("custody/tasks/")},
    }
    named = {
        template
        for name, content in sources.items()
        if name.endswith((".py", ".sql"))
        for template in _TEMPLATE.findall(content.decode())
    }
    if not named:
        yield "no DAG names a template: there is no dags/*.py"
    for template in sorted(named):
        if f"dags/include/sql/{template}" not in files:
            yield f"dags/include/sql/{template} is missing, which a task reads"


def _faults_of_plugins(plugins: Mapping[str, bytes]) -> Iterator[str]:
    for name in ("custody/__init__.py", "custody_console.py", ".airflowignore"):
        if name not in plugins:
            yield f"plugins.zip has no {name}: it must hold what is in plugins/, not the folder"


def _faults_of_requirements(
    text: str, packages: list[Requirement], constraints: list[Requirement]
) -> Iterator[str]:
    if text.partition("\n")[0] != CONSTRAINT_LINE:
        yield f"requirements.txt must begin with {CONSTRAINT_LINE}, or MWAA forces its own"
    pinned = {each.name: each.version for each in constraints}
    for each in packages:
        if pinned.get(each.name, each.version) != each.version:
            yield f"constraints.txt has {each.name}=={pinned[each.name]}, not {each.version}"
        if not each.hashes:
            yield f"requirements.txt names no hash of {each}"
    amazon = {each.name: each for each in packages}.get(AMAZON)
    if amazon is None or _version(amazon) < OLDEST_AMAZON:
        oldest = ".".join(map(str, OLDEST_AMAZON))
        yield f"requirements.txt needs {AMAZON} {oldest} or later: the DAGs refuse others"
    if amazon is None or DEFERRING not in amazon.extras:
        yield f"requirements.txt must name {AMAZON}[{DEFERRING}]: else no deferred task runs"


def _version(package: Requirement) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", package.version)[:2]))


def _faults_of_wheels(
    text: str, packages: list[Requirement], plugins: dict[str, bytes]
) -> Iterator[str]:
    lines = text.splitlines()
    asked = [line for line in NO_INDEX_LINES if line in lines]
    if not asked:
        return
    if len(asked) < len(NO_INDEX_LINES):
        yield f"requirements.txt has {asked[0]}, which needs the others of {NO_INDEX_LINES}"
    for each in packages:
        if wheel_of(each, plugins) is None:
            yield f"plugins.zip has no wheel of {each.name}=={each.version} with its hash"
