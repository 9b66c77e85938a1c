"""Custody in Airflow's own pages: the plugin, and who may see them.

Every process of Airflow runs this file when it starts, so it imports nothing of ours, and nothing
of FastAPI's or boto3's: the application is made when somebody first asks for a page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import FastAPI

    from custody.console.answering import Answering
    from custody.console.reading import Console
    from custody.core.console.run_in_airflow import RunInAirflow

PAGING_DAGS: Final = ("provenance_reconcile", "custody_audit")


def guards() -> list[Callable[..., Any]]:
    """What stands before every route: Airflow's own question whether a user may read the logs of
    both DAGs that page. These say the same as the pages here."""
    from airflow.api_fastapi.auth.managers.models.resource_details import (  # noqa: PLC0415
        DagAccessEntity,
    )
    from airflow.api_fastapi.core_api.security import requires_access_dag  # noqa: PLC0415

    return [
        requires_access_dag("GET", DagAccessEntity.TASK_LOGS, param_dag_id=dag)
        for dag in PAGING_DAGS
    ]


def answering() -> Answering:
    """Who may answer a finding: whoever may edit both DAGs that page, who could also stop them. And
    by which name Airflow knows him."""
    from airflow.api_fastapi.auth.managers.base_auth_manager import (  # noqa: PLC0415
        COOKIE_NAME_JWT_TOKEN,
    )
    from airflow.api_fastapi.core_api.security import get_user, requires_access_dag  # noqa: PLC0415

    from custody.console.answering import Answering, visitor_by  # noqa: PLC0415

    edits = [requires_access_dag("PUT", param_dag_id=dag) for dag in PAGING_DAGS]
    return Answering(edits, visitor_by(get_user, COOKIE_NAME_JWT_TOKEN))


def open_console() -> Console:
    """The deployment that Airflow's variable `custody` names, as the web server's own role.

    Raises `ValueError` if there is no such variable, and what botocore raises.
    """
    import boto3  # noqa: PLC0415
    from airflow.models.variable import Variable  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    from custody.aws.kms.seal_key import fetch_seal_keys  # noqa: PLC0415
    from custody.console.reading import Console  # noqa: PLC0415
    from custody.core.seal.layout import log_origin  # noqa: PLC0415
    from custody.settings import Settings  # noqa: PLC0415

    document = Variable.get("custody", default_var=None)
    if document is None:
        raise ValueError("there is no variable custody, which the deployment writes")
    settings = Settings.parse(document)
    # A page waits for it: no long patience, and as many connections as are read at once.
    config = Config(
        max_pool_connections=16, connect_timeout=5, read_timeout=20, retries={"max_attempts": 2}
    )
    kms = boto3.client("kms", region_name=settings.region, config=config)
    s3 = boto3.client("s3", region_name=settings.region, config=config)
    origin = log_origin(settings.provenance_bucket)
    key = fetch_seal_keys(kms, settings.seal_key_arn, settings.former_seal_keys, origin)
    return Console(s3, settings, key, kms)


def run_guards() -> list[Callable[..., Any]]:
    """Who may see what a run of a DAG did: whoever may see what its tasks returned, by which its
    job runs are found."""
    from airflow.api_fastapi.auth.managers.models.resource_details import (  # noqa: PLC0415
        DagAccessEntity,
    )
    from airflow.api_fastapi.core_api.security import requires_access_dag  # noqa: PLC0415

    return [requires_access_dag("GET", DagAccessEntity.XCOM)]  # of the DAG that is asked for


def run_in_airflow(dag_id: str, run_id: str) -> RunInAirflow | None:
    """A run of a DAG, and what its tasks returned, if it is short; None if there is none.

    Raises `CannotCheck` if Airflow's database does not answer.
    """
    from airflow.models.dagrun import DagRun  # noqa: PLC0415
    from airflow.models.xcom import XCOM_RETURN_KEY, XComModel  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import Text, cast, func, select  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from custody.core.console.run_in_airflow import (  # noqa: PLC0415
        LONGEST_RETURNED,
        RunInAirflow,
    )
    from custody.reading.errors import CannotCheck  # noqa: PLC0415

    # As text: of what tasks of any DAG return, no object is made in this process.
    value = cast(XComModel.value, Text)
    returned = (
        XComModel.get_many(run_id=run_id, dag_ids=dag_id, key=XCOM_RETURN_KEY)
        .with_only_columns(XComModel.task_id, value)
        .where(func.length(value) <= LONGEST_RETURNED)
        .limit(1000)
    )
    asked = select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
    try:
        with create_session() as session:
            run = session.scalar(asked)
            if run is None:
                return None
            return RunInAirflow(
                dag_id=dag_id,
                run_id=run_id,
                conf=run.conf or {},
                partition_key=run.partition_key,
                interval_end=run.data_interval_end,
                returned=dict(session.execute(returned).tuples().all()),
            )
    except SQLAlchemyError as error:
        raise CannotCheck("Airflow's database does not say what this run is") from error


def make_app() -> FastAPI:
    """The application, guarded."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from custody.console.app import console_app  # noqa: PLC0415
    from custody.console.datasets import Datasets  # noqa: PLC0415
    from custody.console.evidence import CurrentEvidence  # noqa: PLC0415
    from custody.console.objects import Objects  # noqa: PLC0415
    from custody.console.reading import Overviews  # noqa: PLC0415
    from custody.console.runs import Runs  # noqa: PLC0415

    def clock() -> datetime:
        return datetime.now(UTC)

    overviews = Overviews(open_console, clock)
    current = CurrentEvidence(overviews.console, clock)
    runs = Runs(current, run_in_airflow, run_guards())
    return console_app(overviews, Objects(current), Datasets(current), runs, guards(), answering())


class FirstAsked:
    """An ASGI application that is made when it is first asked, in a thread of its own."""

    def __init__(self, make: Callable[[], FastAPI]) -> None:
        self._make = make
        self._app: FastAPI | None = None
        self._lock: asyncio.Lock | None = None

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
        await self._app(scope, receive, send)


_RUN: Final = "custody/run?dag_id={DAG_ID}&run_id={RUN_ID}"


class CustodyPlugin(AirflowPlugin):
    """Custody, in the navigation, and on each run of a DAG and each of its tasks."""

    name = "custody"
    fastapi_apps = [  # noqa: RUF012 - Airflow's own form
        {"app": FirstAsked(make_app), "url_prefix": "/custody", "name": "Custody"}
    ]
    # No slash at the beginning of an address: so it works below a path, too.
    external_views = [  # noqa: RUF012
        # No `url_route`: Airflow would show it in a frame that lets nothing be downloaded, and no
        # link lead out. In a menu, since Airflow 3.3.1 makes of one beside the menus a button that
        # leads nowhere.
        {"name": "Custody", "href": "custody/", "destination": "nav", "category": "browse"},
        # Without one, these would not be shown at all.
        {"name": "Custody", "href": _RUN, "destination": "dag_run", "url_route": "custody-of-run"},
        {
            "name": "Custody",
            "href": f"{_RUN}&task_id={{TASK_ID}}",
            "destination": "task_instance",
            "url_route": "custody-of-task",
        },
    ]
