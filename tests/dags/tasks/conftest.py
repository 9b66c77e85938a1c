"""A task's own Python, with AWS in memory."""

from collections.abc import Iterator
from inspect import unwrap

import boto3
import pytest
from moto import mock_aws
from tests.support.judging_dags import Runs, Sns
from tests.support.moto_aws import REGION, make_bucket


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def function(bag, monkeypatch):
    """`function(dag_id, task_id, s3=client, …)`: a task's Python function, its clients given."""

    def of(dag_id, task_id, **clients):
        task = bag.dags[dag_id].get_task(task_id)
        mapped = getattr(task, "partial_kwargs", {}).get("python_callable")
        found = mapped or task.python_callable
        if clients:
            monkeypatch.setitem(unwrap(found).__globals__, "client", clients.__getitem__)
        return found

    return of


@pytest.fixture(autouse=True)
def info(caplog):
    """What a task says in its log, as Airflow is set to keep it."""
    caplog.set_level("INFO")


@pytest.fixture
def runs(aws):
    return Runs(boto3.client("s3", region_name=REGION))


@pytest.fixture
def analytics(runs):
    return make_bucket(runs.s3, "custody-test-analytics")


@pytest.fixture
def sns():
    return Sns()
