"""How long a run waits for the files of its day, what it says of that, and what happens then."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from airflow.providers.amazon.aws.triggers.s3 import S3KeyTrigger
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowSensorTimeout, TaskDeferred
from moto import mock_aws
from tests.support.moto_aws import REGION, make_bucket

HOUR = timedelta(hours=1)
LANDED_AFTER = 26 * HOUR
FAILS = "nothing had landed under s3://the-raw-bucket/incoming/customers/dt={}/ by {}T02:00:00.000Z"


@pytest.fixture(autouse=True)
def as_on_a_worker(monkeypatch):
    monkeypatch.setattr(ExecutorSafeguard, "test_mode", True)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def bucket():
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        make_bucket(s3, "the-raw-bucket")
        yield s3


@pytest.fixture
def landing(render, caplog):
    """`landing(day)`: the task of a run for that day, which nobody has begun."""
    caplog.set_level("INFO")

    def of(day, **more):
        begins = datetime.combine(day, datetime.min.time(), UTC)
        return render(
            "medallion_customers", "wait_for_landing", interval=(begins, begins + 24 * HOUR), **more
        )

    return of


def run(partition=None):
    return {"dag_run": SimpleNamespace(partition_key=partition and str(partition))}


def today():
    return datetime.now(UTC).date()


def test_a_day_without_files_says_what_it_waits_for_until_when_and_what_happens_then(
    bucket, landing, caplog
):
    day = today()  # somebody asks for it before it is over
    task = landing(day)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(run())
    assert isinstance(deferred.value.trigger, S3KeyTrigger)
    until = datetime.combine(day, datetime.min.time(), UTC) + LANDED_AFTER
    left = until - datetime.now(UTC)
    assert timedelta() <= deferred.value.timeout - left < timedelta(minutes=5)
    assert caplog.messages[-1] == (
        f"waiting for files under s3://the-raw-bucket/incoming/customers/dt={day}/ until "
        f"{until:%Y-%m-%d}T02:00:00.000Z (the contract's freshness: 26 hours after the day began). "
        f"If none lands by then, this run fails, and readers see of {day} what was published last"
    )
    with pytest.raises(AirflowSensorTimeout, match=FAILS.format(day, f"{until:%Y-%m-%d}")):
        task.resume_execution("__fail__", {"error": "Trigger timeout"}, run())


def test_a_day_whose_time_is_over_is_not_waited_for(bucket, landing):
    day = datetime(2026, 11, 3, tzinfo=UTC).date()
    with pytest.raises(AirflowSensorTimeout, match=FAILS.format(day, "2026-11-04")):
        landing(day).execute(run(day))
    bucket.put_object(Bucket="the-raw-bucket", Key=f"incoming/customers/dt={day}/", Body=b"")
    with pytest.raises(AirflowSensorTimeout):  # a folder marker is no file
        landing(day).execute(run(day))
    bucket.put_object(Bucket="the-raw-bucket", Key=f"incoming/customers/dt={day}/a", Body=b"")
    landing(day).execute(run(day))


def test_a_day_that_is_not_over_is_looked_at_when_it_is(bucket, landing, caplog):
    """A backfill may reach into the future. Whoever asks for today has what is there."""
    day = today()
    bucket.put_object(Bucket="the-raw-bucket", Key=f"incoming/customers/dt={day}/a", Body=b"")
    task = landing(day)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(run(day))
    over = datetime.combine(day, datetime.min.time(), UTC) + 24 * HOUR
    assert isinstance(deferred.value.trigger, DateTimeTrigger)
    assert deferred.value.trigger.moment == over
    assert caplog.messages[-1].startswith(
        f"{day} is not over: files are looked for at {over:%Y-%m-%d}"
    )
    task.resume_execution(deferred.value.method_name, {"event": over}, run(day))
    landing(day).execute(run())
