"""Backfills of a dataset's days, by Airflow's own API and scheduler on a database of their own.

Nothing of a run is executed: each ends as the test says.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow import settings
from airflow._shared.timezones.timezone import coerce_datetime
from airflow.api.common.mark_tasks import set_dag_run_state_to_failed
from airflow.api_fastapi.core_api.datamodels.backfills import BackfillPostBody
from airflow.api_fastapi.core_api.routes.public.backfills import cancel_backfill, create_backfill
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import import_all_models
from airflow.models.backfill import Backfill, BackfillDagRun
from airflow.models.base import Base
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance
from airflow.models.tasklog import LogTemplate
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.timetables.base import TimeRestriction
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunType
from sqlalchemy import delete, select

DAG_ID = "medallion_customers"
DAYS = ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"]


class Somebody:
    def get_name(self) -> str:
        return "ada"


class Scheduled:
    """The DAG in Airflow's database, with the runs of one test."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self._scheduler = SchedulerJobRunner(job=Job())

    def backfill(self, reprocess: str, *, at_once: int = 4, backwards: bool = False) -> int:
        """Asks for a backfill of the days, as the form and the API do; its id."""
        body = BackfillPostBody(
            dag_id=DAG_ID,
            from_date=datetime.fromisoformat(DAYS[0]).replace(tzinfo=UTC),
            to_date=datetime.fromisoformat(DAYS[-1]).replace(tzinfo=UTC),
            run_backwards=backwards,
            reprocess_behavior=reprocess,
            max_active_runs=at_once,
        )
        return int(create_backfill(body, Somebody(), self.session).id)

    def cancel(self, backfill_id: int) -> None:
        cancel_backfill(backfill_id, self.session)
        self.session.commit()

    def start(self) -> list[str]:
        """Lets the scheduler start what it would; the days whose runs it has started."""
        before = {run.id for run in self.runs(DagRunState.RUNNING)}
        self._scheduler._start_queued_dagruns(self.session)
        self.session.commit()
        now = self.runs(DagRunState.RUNNING)
        return [run.partition_key for run in now if run.id not in before]

    def runs(self, *states: DagRunState) -> list[DagRun]:
        found = self.session.scalars(select(DagRun).order_by(DagRun.id)).all()
        return [run for run in found if not states or run.state in states]

    def clear(self, day: str) -> None:
        """Clears the one run of a day, so that it runs again."""
        run, dag = self._only(day)
        dag.clear(run_id=run.run_id, dag_run_state=DagRunState.QUEUED, session=self.session)
        self.session.commit()

    def mark_as_failed(self, day: str) -> None:
        """Marks the one run of a day as failed, as the UI does."""
        run, dag = self._only(day)
        set_dag_run_state_to_failed(dag=dag, run_id=run.run_id, commit=True, session=self.session)
        self.session.commit()

    def _only(self, day: str) -> tuple[DagRun, Any]:
        (run,) = (run for run in self.runs() if run.partition_key == day)
        return run, SerializedDagModel.get_dag(DAG_ID, session=self.session)

    def end(self, day: str, state: DagRunState = DagRunState.SUCCESS) -> None:
        """Ends the run of a day that runs."""
        (run,) = (run for run in self.runs(DagRunState.RUNNING) if run.partition_key == day)
        run.state = state
        self.session.commit()

    def end_all(self) -> None:
        for run in self.runs(DagRunState.RUNNING):
            run.state = DagRunState.SUCCESS
        self.session.commit()
        self._scheduler._mark_backfills_complete(session=self.session)
        self.session.commit()


@pytest.fixture(scope="module")
def database(bag: Any) -> None:
    """Airflow's tables, in a file beside its settings, and the DAG."""
    import_all_models()
    Base.metadata.create_all(settings.engine)
    with settings.Session() as session, session.begin():
        session.add(LogTemplate(filename="x", elasticsearch_id="x"))
        session.add(DagBundleModel(name="dags"))
        session.flush()
        dag = DagModel(dag_id=DAG_ID, bundle_name="dags", fileloc="x")
        dag.is_paused = dag.is_stale = False
        session.add(dag)
        session.flush()
        serialized = LazyDeserializedDAG.from_dag(bag.dags[DAG_ID])
        SerializedDagModel.write_dag(serialized, bundle_name="dags", session=session)


@pytest.fixture
def scheduled(database: None) -> Iterator[Scheduled]:
    with settings.Session() as session:
        yield Scheduled(session)
        session.rollback()
        for model in (BackfillDagRun, TaskInstance, DagRun, Backfill):
            session.execute(delete(model))
        session.commit()


@pytest.mark.parametrize("backwards", [False, True])
def test_days_are_built_side_by_side_in_the_order_asked_for(scheduled, backwards):
    scheduled.backfill("none", at_once=2, backwards=backwards)
    first, second, third, fourth = DAYS[::-1] if backwards else DAYS
    assert set(scheduled.start()) == {first, second}
    assert scheduled.start() == []
    scheduled.end(second)
    assert scheduled.start() == [third]
    scheduled.end(first)
    assert scheduled.start() == [fourth]


def test_a_run_has_the_name_of_its_datas_day(scheduled):
    scheduled.backfill("none")
    names = [run.run_id.split("__") for run in scheduled.runs()]
    assert [(kind, at[:10], day) for kind, at, day, _ in names] == [
        ("backfill", day, day) for day in DAYS
    ]


def test_a_scheduled_run_has_it_too(bag):
    timetable = LazyDeserializedDAG.from_dag(bag.dags[DAG_ID]).timetable
    earliest = coerce_datetime(datetime(2026, 11, 4, tzinfo=UTC))
    info = timetable.next_dagrun_info_v2(
        last_dagrun_info=None, restriction=TimeRestriction(earliest, None, catchup=True)
    )
    assert (info.run_after, info.partition_key) == (earliest, DAYS[2])
    run_id = timetable.generate_run_id(run_type=DagRunType.SCHEDULED, **info._asdict())
    assert run_id.split("__")[2] == DAYS[2]


def half_done(scheduled: Scheduled) -> int:
    """A backfill whose first day is right, whose second failed, and whose others wait."""
    backfill_id = scheduled.backfill("none", at_once=2)
    scheduled.start()
    scheduled.end(DAYS[0])
    scheduled.end(DAYS[1], DagRunState.FAILED)
    return backfill_id


@pytest.mark.parametrize(
    ("reprocess", "again"), [("none", []), ("failed", DAYS[1:]), ("completed", DAYS)]
)
def test_a_backfill_that_was_cancelled_half_done_goes_on_in_another(scheduled, reprocess, again):
    """`failed` builds what is missing, and nothing that is right; `completed` builds all anew."""
    scheduled.cancel(half_done(scheduled))
    scheduled.backfill(reprocess)
    assert scheduled.start() == again


def test_a_day_of_a_cancelled_backfill_that_is_cleared_never_starts_until_it_is_marked(scheduled):
    """Airflow's own fault, and what docs/runbooks/backfill-stuck.md does about it."""
    scheduled.cancel(half_done(scheduled))
    scheduled.clear(DAYS[2])
    assert scheduled.start() == []
    # Nor does another backfill begin that day.
    scheduled.backfill("failed")
    assert scheduled.start() == [DAYS[1], DAYS[3]]
    scheduled.end_all()
    (stuck,) = scheduled.runs(DagRunState.QUEUED)
    assert stuck.partition_key == DAYS[2]

    scheduled.mark_as_failed(DAYS[2])
    scheduled.backfill("failed")
    assert scheduled.start() == [DAYS[2]]
