"""Publish a day of a dataset, and have the partitions follow what is published."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException

from custody.aws.definitions import make_right
from custody.aws.publications.building import Builders, built
from custody.aws.publications.following import follow
from custody.aws.publications.keeping import publish, published_since
from custody.core.datasets.contracts import Contract
from custody.core.datasets.tables import Table, gold_tables, silver_tables, tables
from custody.core.formats.hive_ddl import TableDefinition
from custody.core.lineage.model import Run
from custody.core.publications.choosing import DayOfTable, NotBuilt
from custody.core.publications.model import Asked, Why
from custody.tasks.datasets.medallion import day_of
from custody.tasks.defaults import client, setting
from custody.tasks.windows import asked_by

log = logging.getLogger(__name__)

RECENT: Final = timedelta(days=2)
"""How old a publication may be that `follow_publications` looks after: a move that was killed."""

SILVER_RUN: Final = "{{ params.rollback_to or ti.xcom_pull(task_ids='bronze_to_silver') }}"
"""Template of the job run of silver that a run of the DAG shows."""


def shown_of(contract: Contract) -> list[dict[str, Any]]:
    """The tables of a dataset as `publish_day` takes them, with templates."""
    buckets = {name: setting(name) for name in ("processed_bucket", "analytics_bucket")}

    def shown(table: Table, gold: str | None) -> dict[str, Any]:
        day = DayOfTable(table.name, day_of(table), gold)
        return {"definition": asdict(table.definition(buckets)), "day": asdict(day)}

    return [
        *(shown(table, None) for table in silver_tables(contract)),
        *(shown(table, table.name.removeprefix("gold_")) for table in gold_tables(contract)),
    ]


def builders() -> dict[str, str]:
    """Who builds, with templates."""
    job = "arn:{}:glue:{}:{}:job/".format(
        *(setting(name) for name in ("partition", "region", "account_id"))
    )
    return asdict(
        Builders(
            key_arn=setting("lineage_key_arn"),
            former_keys=setting("former_lineage_keys"),
            provenance_bucket=setting("provenance_bucket"),
            silver_job=job + setting("bronze_to_silver_job"),
            gold_job=job + setting("silver_to_gold_job"),
        )
    )


def stated(job: str) -> dict[str, str]:
    """Where a run of the builder `job` states what it made, as `TableJob` takes it."""
    by = builders()
    kept = {name: by[name] for name in ("key_arn", "former_keys", "provenance_bucket")}
    return {**kept, "job": by[job], "database": setting("database")}


# A run that shows what was built before builds nothing: what builds is skipped.
@task(trigger_rule=TriggerRule.NONE_FAILED)
def publish_day(
    place: dict[str, str],
    dataset: str,
    contract_version: str,
    day: str,
    silver_run: str,
    by: dict[str, str],
    shown: list[dict[str, Any]],
    **context: Any,
) -> None:
    """Show readers what a run of silver made of the day, and the last runs of gold built from it.

    What these runs signed decides whether they may be shown, under the contract as it is. The
    publication is one object; the partitions follow it. A table that is not there yet is defined.
    Raises AirflowFailException for what was not built so.
    """
    s3, glue = client("s3"), client("glue")
    days = [DayOfTable(**table["day"]) for table in shown]
    try:
        run = Run(day, silver_run)
        runs = built(s3, client("kms"), Builders(**by), dataset, contract_version, run, days)
    except (NotBuilt, ValueError) as error:
        raise AirflowFailException(f"{dataset}, {day}: {error}") from error
    params = context["params"]
    claim = asked_by(context["dag_run"], params, context["ti"].try_number)
    publication = publish(
        s3,
        place["bucket"],
        dataset,
        day,
        why=Why.ROLLBACK if params["rollback_to"] else Why.BUILD,
        asked=Asked(claim["run"], claim["cleared"], claim["by"], params["reason"]),
        shown=runs,
    )
    log.info("s3://%s/%s counts", place["bucket"], publication.key)
    for table in shown:
        deployed = TableDefinition(**table["definition"])
        if differing := make_right(glue, place["database"], deployed):
            log.info("%s was made right: %s", deployed.name, ", ".join(differing))
    places = {table["definition"]["name"]: table["definition"]["location"] for table in shown}
    for moved in follow(s3, glue, **place, dataset=dataset, days=[day], tables=places):
        log.info("%s", moved)


def follow_publications(
    place: dict[str, str], contracts: Sequence[Contract], buckets: dict[str, str]
) -> None:
    """Finish the moves of partitions that were killed, and undo those that nobody published."""
    s3, glue, since = client("s3"), client("glue"), datetime.now(UTC) - RECENT
    for contract in contracts:
        days = published_since(s3, place["bucket"], contract.dataset, since)
        definitions = [table.definition(buckets) for table in tables(contract)]
        places = {table.name: table.location for table in definitions}
        for moved in follow(s3, glue, **place, dataset=contract.dataset, days=days, tables=places):
            log.warning("%s again: it was elsewhere", moved)
