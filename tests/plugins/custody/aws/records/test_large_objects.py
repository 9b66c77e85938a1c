"""Handing over: once, until it is done, and never to a run that speaks of something else."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from tests.support.moto_aws import REGION, answer, refusal
from tests.support.notices import notice
from tests.support.strategies import AWKWARD_KEYS, json_values

from custody.aws.records.large_objects import HandOver, announced, hand_over
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.names import record_id
from custody.core.records.notifications import object_created

JOB = "custody-test-record-large"
NOTICE = notice(size=2**40)
CREATED = object_created(NOTICE)
VERSION = record_id(CREATED.version)
BEGUN = datetime(2026, 11, 1, 6, 1, tzinfo=UTC)


class Glue:
    """The runs of one job, newest first, a page at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        self.client = boto3.client("glue", region_name=REGION)
        self.runs: list[dict[str, Any]] = []
        self.page, self.pages_read = 2, 0
        events = self.client.meta.events
        events.register("before-call.glue.GetJobRuns", self._get)
        events.register("before-call.glue.StartJobRun", self._start)

    def add(self, state: str, version: str = VERSION, begun: datetime = BEGUN) -> None:
        self.runs.append(
            {"JobRunState": state, "StartedOn": begun, "Arguments": {"--record_id": version}}
        )

    def _get(self, params: dict[str, Any], **_: object) -> object:
        request = json.loads(params["body"])
        assert request["JobName"] == JOB
        self.pages_read += 1
        start = int(request.get("NextToken", 0))
        page: dict[str, Any] = {"JobRuns": self.runs[start : start + self.page]}
        if start + self.page < len(self.runs):
            page["NextToken"] = str(start + self.page)
        return answer(page | {"ResponseMetadata": {}})

    def _start(self, params: dict[str, Any], **_: object) -> object:
        request = json.loads(params["body"])
        assert request["JobName"] == JOB
        run = {"JobRunState": "STARTING", "StartedOn": BEGUN, "Arguments": request["Arguments"]}
        self.runs.insert(0, run)
        return answer({"JobRunId": "jr_1", "ResponseMetadata": {}})


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Glue]:
    return Glue(monkeypatch)


def handed_over(glue: Glue) -> HandOver:
    return hand_over(glue.client, JOB, CREATED, NOTICE)


def test_a_run_is_started_with_what_was_announced(glue):
    assert handed_over(glue) is HandOver.STARTED
    (run,) = glue.runs
    arguments = run["Arguments"]
    assert set(arguments) == {"--record_id", "--announcement"}
    assert announced(arguments["--record_id"], arguments["--announcement"]) == CREATED


def test_a_second_delivery_starts_no_second_run(glue):
    assert [handed_over(glue) for _ in range(3)] == [HandOver.STARTED] + 2 * [HandOver.UNDER_WAY]
    glue.runs[0]["JobRunState"] = "SUCCEEDED"
    assert handed_over(glue) is HandOver.DONE
    assert len(glue.runs) == 1


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "STOPPING", "WAITING"])
def test_a_run_under_way_is_waited_for(glue, state):
    glue.add(state)
    assert handed_over(glue) is HandOver.UNDER_WAY


@pytest.mark.parametrize("state", ["FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"])
def test_a_run_that_failed_is_followed_by_another(glue, state):
    glue.add(state)
    assert handed_over(glue) is HandOver.STARTED


def test_one_success_among_failures_is_enough(glue):
    for state in ("FAILED", "SUCCEEDED", "FAILED"):
        glue.add(state)
    assert handed_over(glue) is HandOver.DONE


def test_runs_of_other_versions_say_nothing(glue):
    glue.add("SUCCEEDED", version="0" * 64)
    glue.runs.append({"JobRunState": "RUNNING", "StartedOn": BEGUN})  # started by hand
    assert handed_over(glue) is HandOver.STARTED


def test_the_history_is_read_back_to_the_event_and_no_further(glue):
    for hours in (9, 9, 9, 0, -1, -1, -2, -2):
        glue.add("SUCCEEDED", "0" * 64, CREATED.event.time + timedelta(hours=hours))
    assert handed_over(glue) is HandOver.STARTED
    assert glue.pages_read == 3


def test_a_history_out_of_order_is_read_on(glue):
    earlier = CREATED.event.time - timedelta(hours=1)
    glue.add("FAILED", "0" * 64, earlier)
    glue.add("FAILED", "0" * 64, BEGUN)
    glue.add("SUCCEEDED")
    assert handed_over(glue) is HandOver.DONE


def test_a_busy_job_is_tried_again_later(glue):
    glue.client.meta.events.register_first(
        "before-call.glue.StartJobRun",
        lambda **_: refusal("ConcurrentRunsExceededException", 400),
    )
    with pytest.raises(ClientError, match="ConcurrentRunsExceeded"):
        handed_over(glue)


def encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_any_key_survives_the_passage(glue, key):
    said = notice(key=key)
    hand_over(glue.client, JOB, object_created(said), said)
    arguments = glue.runs[0]["Arguments"]
    assert announced(arguments["--record_id"], arguments["--announcement"]).version.key == key
    assert arguments["--announcement"].isascii()


@pytest.mark.parametrize(
    ("version", "announcement", "field"),
    [
        ("0" * 64, encoded(NOTICE), "record_id"),
        (VERSION, "{}", "announcement"),
        (VERSION, "é", "announcement"),
        (VERSION, encoded([]), "announcement"),
        (VERSION, encoded({}), "announcement.eventVersion"),
        (VERSION, encoded("x" * 100_000), "announcement"),
    ],
)
def test_arguments_that_do_not_belong_together_are_refused(version, announcement, field):
    with pytest.raises(MalformedInput) as caught:
        announced(version, announcement)
    assert caught.value.field == field


@given(st.text(max_size=60) | json_values.map(encoded))
def test_hostile_arguments_are_refused(announcement):
    with pytest.raises(MalformedInput):
        announced(VERSION, announcement)
