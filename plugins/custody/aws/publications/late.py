"""Looking for files that came after their day was built."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.lineage.keeping import reader
from custody.aws.publications.building import Builders
from custody.aws.publications.keeping import last_of, published_days
from custody.aws.s3.listing import list_current
from custody.core.datasets.contracts import Contract
from custody.core.datasets.tables import silver_tables
from custody.core.datasets.uploads import folder_of
from custody.core.lineage.model import Run
from custody.core.lineage.trust import BadLineage, NoLineage, Trust, lineage_of_run
from custody.core.publications.contract_versions import breaks, built_by
from custody.core.publications.late import LateDay, is_looked_at, late_day
from custody.core.publications.model import Publication

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)


def late_days(
    s3: S3Client,
    trust: Trust,
    builders: Builders,
    contract: Contract,
    *,
    raw_bucket: str,
    bucket: str,
    now: datetime,
) -> Iterator[LateDay]:
    """The days of a contract's dataset that are to be built again, for files that came late.

    A day that was built by a contract with which this one breaks is left to people: what is late
    would have all of its rows become others. What a run states that is not to be believed is passed
    over: it is a finding of its own. `bucket` has the publications. Raises what botocore raises.
    """
    dataset, version = contract.dataset, contract.version
    *_, silver = silver_tables(contract)
    read = reader(s3, builders.provenance_bucket)
    for dt, keys in published_days(s3, bucket, dataset).items():
        if not is_looked_at(dt, now.date()):
            continue
        publication = last_of(s3, bucket, keys)
        run = None if publication is None else _run_of(publication, silver.name)
        if publication is None or run is None:
            continue
        try:
            lineage = lineage_of_run(run, read, trust)
        except (NoLineage, BadLineage) as error:
            log.warning("%s, %s: %s", dataset, dt, error)
            continue
        stored = list_current(s3, raw_bucket, f"{folder_of(dataset)}dt={dt}/")
        landed = {each.version: each.last_modified for each in stored}
        known = {item.version for item in lineage.inputs}
        found = late_day(publication, landed, known, now)
        if found is None:
            continue
        if breaks(own := built_by(lineage), version):
            log.warning(
                "%s, %s: %d files came late; the day was built by the contract's version %s, which "
                "%s breaks with: run the DAG with that day, if it shall become what that makes",
                *(dataset, dt, len(found.versions), own, version),
            )
            continue
        yield found


def _run_of(publication: Publication, table: str) -> Run | None:
    shown = (one.run for one in publication.shown if one.table_name == table)
    try:
        return next((Run(publication.dt, run) for run in shown), None)
    except ValueError:
        return None
