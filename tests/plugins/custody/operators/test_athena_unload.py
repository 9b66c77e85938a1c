"""The place an attempt wrote to is what the next task hears of."""

import pytest
from airflow.providers.amazon.aws.hooks.athena import AthenaHook
from airflow.providers.amazon.aws.triggers.athena import AthenaTrigger
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, TaskDeferred

from custody.operators.athena_unload import AthenaUnloadOperator


class FakeTaskInstance:
    id = "0193-attempt"

    def xcom_push(self, key, value):
        pass


@pytest.fixture
def started(monkeypatch):
    queries = []

    def run_query(self, query, *_):
        queries.append(query)
        return "q-1"

    monkeypatch.setattr(AthenaHook, "run_query", run_query)
    monkeypatch.setattr(AthenaHook, "conn_region_name", "us-east-1")
    monkeypatch.setattr(AthenaHook, "conn_partition", "aws")
    return queries


def unload(**arguments):
    with DAG("d", schedule=None):
        return AthenaUnloadOperator(
            task_id="t",
            query="UNLOAD (SELECT 1 AS one) TO '{{ task.location }}' WITH (format = 'PARQUET')",
            location="s3://b/run={{ ti.id }}/",
            **arguments,
        )


def test_the_statement_names_the_rendered_place():
    task = unload()
    task.render_template_fields({"ti": FakeTaskInstance(), "task": task})
    assert task.location == "s3://b/run=0193-attempt/"
    assert "TO 's3://b/run=0193-attempt/'" in task.query


def test_it_defers_to_the_providers_trigger(started):
    task = unload(deferrable=True, sleep_time=2, max_polling_attempts=900)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute({"ti": FakeTaskInstance()})
    assert isinstance(deferred.value.trigger, AthenaTrigger)
    assert deferred.value.method_name == "execute_complete"
    assert len(started) == 1


def test_it_returns_the_place_after_waiting_in_the_triggerer():
    task = unload(deferrable=True)
    assert task.execute_complete({}, {"status": "success", "value": "q-1"}) == task.location


def test_it_returns_the_place_after_waiting_here(started, monkeypatch):
    monkeypatch.setattr(AthenaHook, "poll_query_status", lambda *_, **__: "SUCCEEDED")
    task = unload()
    assert task.execute({"ti": FakeTaskInstance()}) == task.location


def test_a_failed_statement_fails_the_task():
    with pytest.raises(AirflowException, match="Error while waiting"):
        unload(deferrable=True).execute_complete({}, {"status": "error", "message": "no"})
