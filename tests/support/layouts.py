"""Lay the platform out as MWAA or Astro has it, and ask an Airflow what it finds there."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.build import REPOSITORY

MWAA_HOME = "/usr/local/airflow"


@dataclass(frozen=True)
class Layout:
    """An Airflow home with DAGs and plugins, and nothing else on the path."""

    home: Path

    @property
    def dags(self) -> Path:
        return self.home / "dags"

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Of a process of this Airflow: nothing of whoever runs the test but where programs are."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.home / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # Ends a hang: a machine under load may take long to read a file of DAGs.
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "900",
            **settings,
        }

    def report(self, python: Path, settings: Mapping[str, str]) -> dict[str, Any]:
        """What `tests/support/dag_folder.py` says of these DAGs, run by this Python."""
        script = REPOSITORY / "tests" / "support" / "dag_folder.py"
        finished = subprocess.run(
            [python, "-P", script, self.dags],
            cwd=self.home,
            env=self.environment(settings),
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        found: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
        return found


def as_on_mwaa(files: Mapping[str, bytes], home: Path) -> Layout:
    """A bundle as MWAA lays it out; its paths say `home` where MWAA's say `/usr/local/airflow`."""
    for name, content in files.items():
        if name != "plugins.zip":
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    with zipfile.ZipFile(io.BytesIO(files["plugins.zip"])) as plugins:
        plugins.extractall(home / "plugins")
    requirements = home / "requirements.txt"
    requirements.write_text(requirements.read_text().replace(MWAA_HOME, str(home)))
    return Layout(home)


def as_on_astro(home: Path) -> Layout:
    """The repository's folders as Astro mounts them, beside each other."""
    for name in ("dags", "plugins", "include"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, home / name, ignore=ignored)
    return Layout(home)


def example_settings() -> dict[str, str]:
    """A value of every setting that the stack writes."""
    template = (REPOSITORY / "infra/cloudformation/settings.yaml").read_text(encoding="utf-8")
    return {name: f"the-{name}" for name in re.findall(r"\"(\w+)\": \"\$\{", template)}


def unfilled(report: Mapping[str, Any]) -> dict[str, str]:
    """What tasks would send of templates not filled in and of files not read, by their ids."""
    sent = {
        f"{dag}.{task}": text
        for dag, tasks in report["tasks"].items()
        for task, text in tasks.items()
    }
    # The query of gold is read by its job, from where the settings say.
    unread = re.compile(r"\{\{|\{%|\"(?:\w+/)+\w+\.sql\"")
    return {task: text for task, text in sent.items() if unread.search(text)}
