"""Job runs through the wire: a real local AWS, a real role, a job made by a stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.glue.conftest import plain_python
from tests.infra.local.glue.served import Glue, serving

from localaws.glue.spark.configuration import SparkHome

SCRIPT = b"""
import pathlib, sys, time
mode = sys.argv[sys.argv.index("--mode") + 1]
print(mode, flush=True)
if mode == "fail":
    raise ValueError("as it was told")
if mode == "boto3":
    import boto3
    print(boto3.client("sts").get_caller_identity()["Arn"])
    boto3.client("s3").put_object(Bucket="glue-code", Key="forbidden", Body=b"")
while mode == "wait" and not pathlib.Path("go").exists():
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Glue]:
    folder = tmp_path_factory.mktemp("glue")
    yield from serving(folder / "home", plain_python(folder / "jars"), SCRIPT)


@pytest.fixture
def own(tmp_path: Path, plain_home: SparkHome) -> Iterator[Glue]:
    yield from serving(tmp_path / "home", plain_home, SCRIPT)


def _code(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as error:
        call()
    return str(error.value.response["Error"]["Code"])


def test_a_run_tells_its_story_as_glue_does(shared: Glue) -> None:
    run = shared.ended(shared.begin("quick"))

    assert run["Id"].startswith("jr_")
    assert run["JobRunState"] == "SUCCEEDED"
    assert run["Arguments"] == {"--mode": "quick"}
    assert (run["Timeout"], run["GlueVersion"], run["Attempt"]) == (60, "5.1", 0)
    assert run["StartedOn"] <= run["CompletedOn"]
    assert isinstance(run["ExecutionTime"], int)
    assert "ErrorMessage" not in run
    events = shared.server.client("logs").filter_log_events(
        logGroupName=f"{run['LogGroupName']}/output", logStreamNames=[run["Id"]]
    )["events"]
    assert [event["message"] for event in events] == ["quick"]


def test_a_failure_names_the_exception(shared: Glue) -> None:
    run = shared.ended(shared.begin("fail"))

    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: as it was told")


def test_a_script_acts_as_the_jobs_role_and_may_no_more_than_it(shared: Glue) -> None:
    run = shared.ended(shared.begin("boto3"))

    said = (shared.folder(run["Id"]) / "stdout").read_text()
    assert ":assumed-role/glue-runs/GlueJobRunnerSession-" in said
    assert run["JobRunState"] == "FAILED"
    assert "An error occurred (AccessDenied) when calling the PutObject" in run["ErrorMessage"]


def test_runs_are_listed_newest_first_and_in_pages(shared: Glue) -> None:
    ids = [shared.begin("quick")]
    shared.ended(ids[0])
    ids.insert(0, shared.begin("quick"))
    shared.ended(ids[0])

    first = shared.glue.get_job_runs(JobName="job", MaxResults=1)
    second = shared.glue.get_job_runs(JobName="job", MaxResults=1, NextToken=first["NextToken"])

    assert [run["Id"] for page in (first, second) for run in page["JobRuns"]] == ids


def test_no_more_runs_at_once_than_the_job_allows_and_a_stop_frees_a_place(shared: Glue) -> None:
    ids = [shared.begin("wait"), shared.begin("wait")]
    assert _code(lambda: shared.begin("quick")) == "ConcurrentRunsExceededException"

    shared.running(ids[0])
    answer = shared.glue.batch_stop_job_run(JobName="job", JobRunIds=[*ids, "jr_none"])
    assert [item["JobRunId"] for item in answer["SuccessfulSubmissions"]] == ids
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert [shared.ended(run_id)["JobRunState"] for run_id in ids] == ["STOPPED", "STOPPED"]

    again = shared.glue.batch_stop_job_run(JobName="job", JobRunIds=ids)
    assert again["SuccessfulSubmissions"] == []
    assert shared.ended(shared.begin("quick"))["JobRunState"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("start_job_run", {"JobName": "none"}, "EntityNotFoundException"),
        ("start_job_run", {"JobName": "job", "JobRunId": "jr_1"}, "InvalidInputException"),
        ("get_job_run", {"JobName": "job", "RunId": "jr_none"}, "EntityNotFoundException"),
        ("get_job_runs", {"JobName": "none"}, "EntityNotFoundException"),
        ("get_job_runs", {"JobName": "job", "NextToken": "x"}, "InvalidInputException"),
        ("get_job_runs", {"JobName": "job", "MaxResults": 500}, "InvalidInputException"),
    ],
)
def test_a_wrong_request_gets_glues_error(
    shared: Glue, operation: str, arguments: dict[str, Any], code: str
) -> None:
    assert _code(lambda: getattr(shared.glue, operation)(**arguments)) == code


def test_a_caller_without_the_permission_is_refused(shared: Glue) -> None:
    iam = shared.server.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = shared.server.client(
        "glue", shared.server.session(key["AccessKeyId"], key["SecretAccessKey"])
    )

    assert _code(lambda: nobody.start_job_run(JobName="job")) == "AccessDeniedException"


def test_a_run_survives_a_kill_of_the_server(own: Glue) -> None:
    living, dying = own.begin("wait"), own.begin("wait")
    own.running(living)
    own.running(dying)

    own.server.kill()
    (own.folder(living) / "go").touch()
    own.start()

    assert own.ended(living)["JobRunState"] == "SUCCEEDED"
    own.glue.batch_stop_job_run(JobName="job", JobRunIds=[dying])
    assert own.ended(dying)["JobRunState"] == "STOPPED"


def test_stopping_the_server_ends_its_runs(own: Glue) -> None:
    run_id = own.begin("wait")
    own.running(run_id)

    assert own.server.run("stop").returncode == 0
    own.start()

    run = own.run(run_id)
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "The local AWS was stopped while the job ran"
