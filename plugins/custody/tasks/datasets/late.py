"""Have days built again for files that came after they were built."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.publications.building import Builders
from custody.aws.publications.late import late_days
from custody.core.datasets.contracts import Contract
from custody.core.datasets.manual import dag_of
from custody.core.lineage.trust import Trust
from custody.core.publications.late import MAX_AT_ONCE, LateDay
from custody.tasks.defaults import client

log = logging.getLogger(__name__)


def days_to_rebuild(
    contracts: Sequence[Contract],
    buckets: Mapping[str, str],
    by: Mapping[str, str],
    was_started: Callable[[str, str], bool],
) -> list[dict[str, Any]]:
    """The runs to start, as `TriggerDagRunOperator` takes them: one for each day that a file came
    late for.

    `was_started` tells of a DAG and a run whether there is one: files that its run could not build
    keep no others waiting. Raises what botocore raises.
    """
    found = []
    new = (
        late
        for late in _late(contracts, buckets, Builders(**by))
        if not was_started(dag_of(late.dataset), late.run_id)
    )
    for late in islice(new, MAX_AT_ONCE):
        files = ", ".join(sorted(version.uri for version in late.versions))
        log.info("%s of %s is built again, as %s: %s", late.dt, late.dataset, late.run_id, files)
        found.append(
            {
                "trigger_dag_id": dag_of(late.dataset),
                "trigger_run_id": late.run_id,
                "conf": {"dt": late.dt, "reason": "files came after the day was built"},
            }
        )
    return found


def _late(
    contracts: Sequence[Contract], buckets: Mapping[str, str], by: Builders
) -> Iterator[LateDay]:
    s3, now = client("s3"), datetime.now(UTC)
    keys = fetch_public_keys(client("kms"), by.keys)
    for contract in contracts:
        yield from late_days(
            s3,
            Trust(keys, frozenset({by.silver_job})),
            by,
            contract,
            raw_bucket=buckets["raw_bucket"],
            bucket=buckets["analytics_bucket"],
            now=now,
        )
