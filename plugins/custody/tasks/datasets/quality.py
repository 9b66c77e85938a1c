"""Tell in Airflow what the jobs found for the rules of a day."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from airflow.sdk import TriggerRule, task

from custody.aws.s3.listing import list_keys
from custody.aws.s3.reading import read_current
from custody.core.datasets.contracts import Contract
from custody.core.datasets.quality.results import (
    MAX_RESULTS_BYTES,
    Outcome,
    QualityResult,
    as_table,
    parse,
    place_of,
    results_of_day,
)
from custody.core.datasets.tables import tables
from custody.tasks.datasets.medallion import skip_if_rolled_back
from custody.tasks.defaults import client

log = logging.getLogger(__name__)


def judged(contract: Contract) -> list[str]:
    """The names of the tables of which a day has rules."""
    return [table.name for table in tables(contract) if table.rules]


# Whatever became of the jobs: one that failed may have done so for a rule.
@task(trigger_rule=TriggerRule.ALL_DONE, pre_execute=skip_if_rolled_back)
def report_quality(bucket: str, day: str, judged_tables: Sequence[str]) -> None:
    """Say in the log what the last run of each table has found for its rules."""
    s3 = client("s3")
    last: dict[str, tuple[QualityResult, ...]] = {}
    for key in list_keys(s3, bucket, results_of_day(day)):
        place = place_of(key)
        content = read_current(s3, bucket, key, max_bytes=MAX_RESULTS_BYTES)
        if place is None or place[2] not in judged_tables or content is None:
            continue
        results = parse(content.body, key)
        known = last.setdefault(place[2], results)
        if known[0].judged_at < results[0].judged_at:
            last[place[2]] = results
    found = [result for table in judged_tables for result in last.get(table, ())]
    for line in as_table(found):
        log.info("%s", line)
    for result in found:
        if result.outcome in {Outcome.FAILED, Outcome.WARNED}:
            log.warning("%s in run %s: %s", result.outcome, result.run, result)
    for table in judged_tables:
        if table not in last:
            log.warning("no run has judged %s of %s", table, day)
