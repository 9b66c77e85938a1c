"""The settings that the DAGs read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from infra.build import REPOSITORY
from tests.infra.cloudformation.templates.loaded import (
    LOADED,
    settings,
)

from custody.settings import Settings
from rehearsal.machine import Machine


def test_what_is_compared_is_deployed_before_the_judge_that_compares_it() -> None:
    assert LOADED["root"]["Resources"]["Audit"]["DependsOn"] == ["Settings", "Recorder"]


def test_the_environment_that_is_asked_what_people_did_is_the_deployed_one() -> None:
    settings = Settings.parse({"project": "custody", "stage": "dev"})
    environment = LOADED["mwaa"]["Resources"]["Environment"]["Properties"]["Name"]
    named = environment["Fn::Sub"].replace("${Project}", "custody").replace("${Stage}", "dev")
    assert settings.airflow_environment == named


def test_the_dags_find_every_setting_they_use() -> None:
    written = settings()
    used = set[str]()
    for folder, pattern in (("dags", "*.py"), ("plugins", "*.py"), ("include/sql", "*")):
        for path in (REPOSITORY / folder).rglob(pattern):
            if path.is_file() and "__pycache__" not in path.parts:
                used.update(
                    name
                    for pair in re.findall(
                        r'\bsetting\("(\w+)"\)|var\.json\.custody\.(\w+)', path.read_text()
                    )
                    for name in pair
                    if name
                )
    assert used
    assert used <= written.keys()


def test_the_settings_are_these() -> None:
    assert set(settings()) == {
        "account_id",
        "airflow_trusted_arns",
        "airflow_url",
        "analytics_bucket",
        "answer_key_arn",
        "artifacts_bucket",
        "audit_job",
        "expire_job",
        "athena_results_bucket",
        "bronze_to_silver_job",
        "code_location",
        "cosigning_policy",
        "database",
        "deployer_arns",
        "digest_seconds",
        "encryption_key_arns",
        "former_lineage_keys",
        "former_seal_keys",
        "former_signing_keys",
        "former_uploaders",
        "lineage_key_arn",
        "noncurrent_version_days",
        "run_retention_days",
        "organization_id",
        "partition",
        "processed_bucket",
        "project",
        "provenance_bucket",
        "raw_bucket",
        "reconcile_job",
        "region",
        "seal_key_arn",
        "signing_key_arn",
        "silver_to_gold_job",
        "stage",
        "token_key_arn",
        "topic_arn",
        "trail_account_id",
        "trail_bucket",
        "trail_name",
        "uploader_arns",
        "uploads",
        "workgroup",
    }


def test_events_of_lineage_go_the_same_way_on_mwaa_and_here(tmp_path: Path) -> None:
    here = Machine(tmp_path, aws_port=1, airflow_port=2).events_of_lineage()
    options = LOADED["mwaa"]["Resources"]["Environment"]["Properties"][
        "AirflowConfigurationOptions"
    ]
    names = {"Project": "custody", "Stage": "local", "AWS::AccountId": "111122223333"}

    def text(value: Any) -> str:
        """The text of an option where no transport is given."""
        if "Fn::If" in value:
            condition, by_default, given = value["Fn::If"]
            assert (condition, given) == ("EventsToFiles", {"Ref": "OpenLineageTransport"})
            value = by_default
        found = str(value["Fn::Sub"] if isinstance(value, dict) else value)
        for name, known in names.items():
            found = found.replace(f"${{{name}}}", known)
        return found

    def parsed(value: str | int) -> Any:
        return json.loads(value) if str(value)[0] in "[{" else str(value).lower()

    assert {
        option.replace(".", "__").upper(): parsed(text(value))
        for option, value in options.items()
        if option.startswith("openlineage.")
    } == {name: parsed(value) for name, value in here.items()}
