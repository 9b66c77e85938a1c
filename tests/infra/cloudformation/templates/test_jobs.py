"""Glue's jobs: what they run, what they are told, and where they log."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from infra.build import REPOSITORY
from tests.infra.cloudformation.templates.loaded import (
    LOADED,
    listed,
    of_type,
    plain,
    settings,
    statements,
)

from custody.settings import Settings

# What a script is given by whoever starts it, and no more.
GIVEN = {
    "recorder.LargeObjectJob": {"announcement", "record_id"},
    "jobs.BronzeToSilver": {"dataset", "dt"},
    "jobs.SilverToGold": {"dataset", "dt", "silver_run", "gold_table"},
    "audit.Reconcile": {"window"},
    "audit.Audit": {"audit"},
    "expiry.Job": set[str](),
}


@pytest.mark.parametrize(("stack", "name", "job"), of_type("AWS::Glue::Job"))
def test_who_starts_a_job_chooses_neither_its_code_nor_what_it_trusts(
    stack: str, name: str, job: Mapping[str, Any]
) -> None:
    """Every argument by which Glue takes code from elsewhere, and every other that a script reads.

    "Using job parameters in AWS Glue jobs": what the job fixes wins over what a run is given.
    """
    assert not job.get("DefaultArguments")
    fixed = {key: plain(value) for key, value in job["NonOverridableArguments"].items()}
    script = job["Command"]["ScriptLocation"]
    archive = "${CodeLocation}/custody.zip"
    assert {key: fixed.pop(key) for key in list(fixed) if key in LOADS} == {
        "--scriptLocation": plain(script),
        "--job-language": '"python"',
        "--extra-py-files": archive,
        "--extra-files": archive,
        "--extra-jars": archive,
        "--user-jars-first": '"false"',
        "--additional-python-modules": "${CodeLocation}/modules.gluewheels.zip",
        "--python-modules-installer-option": '"--no-index"',
        "--conf": '"spark.sql.session.timeZone=UTC"',
        "--enable-spark-ui": '"false"',
    }
    assert fixed.pop("--custom-logGroup-prefix") == f"/aws-glue/{plain(job['Name'])}"
    scaled = fixed.pop("--enable-auto-scaling", None)
    assert scaled == (None if job["NumberOfWorkers"] == 2 else '"true"')
    read = arguments_of(script_of(job))
    assert {key.removeprefix("--") for key in fixed} == read - GIVEN[f"{stack}.{name}"]


LOADS = {
    "--scriptLocation",
    "--job-language",
    "--extra-py-files",
    "--extra-files",
    "--extra-jars",
    "--user-jars-first",
    "--additional-python-modules",
    "--python-modules-installer-option",
    "--conf",
    "--enable-spark-ui",
}


def script_of(job: Mapping[str, Any]) -> Path:
    """The source of a job's script, which the build puts into the bundle."""
    name = plain(job["Command"]["ScriptLocation"]).removeprefix("${CodeLocation}/jobs/")
    return REPOSITORY / "include" / "glue_jobs" / name


def arguments_of(script: Path) -> set[str]:
    """The names that a script asks for: the only tuple or list of names in it."""
    named = [
        {item.value for item in node.elts if isinstance(item, ast.Constant)}
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.Tuple | ast.List) and node.elts
    ]
    (names,) = [names for names in named if names]
    return names


def test_the_judge_is_told_what_airflow_is_told() -> None:
    """The same settings, from the same values of the root stack: the judge holds Airflow's against
    its own. And it has all that it reads."""
    for job in ("Reconcile", "Audit"):
        fixed = LOADED["audit"]["Resources"][job]["Properties"]["NonOverridableArguments"]
        trusted: dict[str, str] = json.loads(plain(fixed["--settings"]))
        assert trusted == settings()
    read = {name for name, kind in vars(Settings).items() if type(kind).__name__ == "_Setting"}
    assert read <= trusted.keys()
    given = {
        stack: LOADED["root"]["Resources"][stack]["Properties"]["Parameters"]
        for stack in ("Audit", "Settings")
    }
    for name in re.findall(r"\$\{(\w+)\}", "".join(trusted.values())):
        assert given["Audit"][name] == given["Settings"][name]


@pytest.mark.parametrize(("stack", "name", "job"), of_type("AWS::Glue::Job"))
def test_a_job_has_logs_of_its_own_and_its_role_writes_no_others(
    stack: str, name: str, job: Mapping[str, Any]
) -> None:
    """ "Logging for AWS Glue jobs", with a security configuration: how Glue names them."""
    assert job["SecurityConfiguration"] == {"Ref": "SecurityConfiguration"}
    resources = LOADED[stack]["Resources"]
    role = plain(job["Role"]).rpartition("/")[2].strip("${}")
    own = f"/aws-glue/{plain(job['Name'])}"
    names = [
        plain(other["Properties"]["LogGroupName"])
        for other in resources.values()
        if other["Type"] == "AWS::Logs::LogGroup"
    ]
    folder = (
        f"{own}/${{SecurityConfiguration}}-role/{plain(resources[role]['Properties']['RoleName'])}"
    )
    assert [n for n in names if n.startswith(own)] == [f"{folder}/error", f"{folder}/output"]

    policy = resources[role]["Properties"]["Policies"][0]["PolicyDocument"]
    (logs,) = [s for s in statements(policy) if s["Sid"] == "WriteJobLogs"]
    logged = {plain(r).partition(":log-group:")[2] for r in listed(logs["Resource"])}
    jobs = {
        f"/aws-glue/{plain(other['Properties']['Name'])}/*"
        for other in resources.values()
        if other["Type"] == "AWS::Glue::Job" and other["Properties"]["Role"] == job["Role"]
    }
    assert logged == jobs


def test_glue_installs_the_versions_the_jobs_are_tested_with() -> None:
    folder = REPOSITORY / "include" / "glue_jobs"
    brought, tested = (
        set(re.findall(r"^([\w-]+==[\w.]+)", (folder / name).read_text(), re.MULTILINE))
        for name in ("modules.txt", "requirements.txt")
    )
    assert brought
    assert brought <= tested


@pytest.mark.parametrize(("stack", "name", "job"), of_type("AWS::Glue::Job"))
def test_a_jobs_script_exists(stack: str, name: str, job: Mapping[str, Any]) -> None:
    assert script_of(job).is_file()


def test_who_removes_runs_is_given_what_the_job_reads() -> None:
    script = (REPOSITORY / "include" / "glue_jobs" / "expire.py").read_text(encoding="utf-8")
    job = LOADED["expiry"]["Resources"]["Job"]["Properties"]["NonOverridableArguments"]
    given = json.loads(plain(job["--settings"]))
    assert given.keys() == set(re.findall(r"settings\.([a-z_]+)", script))
    assert given["run_retention_days"] == "${RunRetentionDays}"
