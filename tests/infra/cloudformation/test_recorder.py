"""The recorder as it was deployed, seen by the role that judges; and another in its place."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.infra.cloudformation.conftest import bucket
from tests.infra.cloudformation.test_deployed import settings_of
from tests.support.local_aws import LocalAws
from tests.support.patience import wait_for

from custody.aws.recorder import deployed_recorder, standing_recorder, subscriptions
from custody.core.ledger.kinds.recorder import recorder_rows
from custody.core.runs.code import recorder_sha256
from custody.settings import Settings

NAME = "custody-local-recorder"


def differing(aws: LocalAws) -> list[str]:
    """The aspects of the recorder in which it is not as deployed, as the role that judges sees it
    when the grace is over."""
    settings = Settings.parse(settings_of(aws))
    functions, s3 = aws.role_client("lambda", "audit"), aws.role_client("s3", "audit")
    sums = s3.get_object(Bucket=bucket("artifacts"), Key=bundled(settings, "SHA256SUMS"))
    deployed = deployed_recorder(settings, recorder_sha256(sums["Body"].read()))
    as_of = datetime.now(UTC) + timedelta(hours=1)
    rows = recorder_rows(
        standing_recorder(functions, deployed),
        subscriptions(functions, deployed),
        deployed,
        settings.policy(as_of=as_of, grace=timedelta(minutes=30)),
        start=as_of - timedelta(hours=4),
        last=as_of,
    )
    return [row.object_key.rpartition("/")[2] for row in rows]


def bundled(settings: Settings, name: str) -> str:
    """The key of a file of the deployed bundle."""
    place = settings.code_location.removeprefix(f"s3://{bucket('artifacts')}/")
    return f"{place}/{name}"


def updated(functions: Any) -> None:
    wait_for(
        lambda: (
            functions.get_function_configuration(FunctionName=NAME)["LastUpdateStatus"]
            == "Successful"
        )
    )


def test_another_recorder_than_the_deployed_one_is_found_by_who_judges(aws: LocalAws) -> None:
    assert differing(aws) == []
    insider = aws.client("lambda", "insider")
    key = bundled(Settings.parse(settings_of(aws)), "recorder.zip")
    s3 = aws.client("s3", "platform-engineer")
    ours = s3.get_object(Bucket=bucket("artifacts"), Key=key)["Body"].read()
    archive = io.BytesIO(ours)
    with zipfile.ZipFile(archive, "a") as zipped:
        zipped.writestr("his.py", b"")
    before = insider.get_function_configuration(FunctionName=NAME)["Environment"]
    his = {"Variables": {**before["Variables"], "PYTHONPATH": "/opt/his"}}
    try:
        insider.update_function_code(FunctionName=NAME, ZipFile=archive.getvalue())
        updated(insider)
        assert differing(aws) == ["code"]
        insider.update_function_configuration(FunctionName=NAME, Environment=his)
        updated(insider)
        assert differing(aws) == ["code", "configuration"]
    finally:
        insider.update_function_code(FunctionName=NAME, ZipFile=ours)
        insider.update_function_configuration(FunctionName=NAME, Environment=before)
        updated(insider)
    assert differing(aws) == []


def test_a_queue_that_starts_an_older_version_is_found(aws: LocalAws) -> None:
    insider = aws.client("lambda", "insider")
    version = insider.publish_version(FunctionName=NAME)["FunctionArn"]
    (mapping,) = insider.list_event_source_mappings(FunctionName=NAME)["EventSourceMappings"]
    try:
        insider.update_event_source_mapping(UUID=mapping["UUID"], FunctionName=version)
        assert differing(aws) == ["subscription"]
    finally:
        insider.update_event_source_mapping(UUID=mapping["UUID"], FunctionName=NAME)
        insider.delete_function(FunctionName=NAME, Qualifier=version.rpartition(":")[2])
    assert differing(aws) == []
