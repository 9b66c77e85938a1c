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
from custody.core.datasets.uploads import folder_of
from custody.core.lineage.model import Run
from custody.core.lineage.trust import BadLineage, NoLineage, Trust, lineage_of_run
from custody.core.publications.late import LateDay, is_looked_at, late_day
from custody.core.publications.model import Publication

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)


def late_days(
    s3: S3Client,
    trust: Trust,
    builders: Builders,
    *,
    raw_bucket: str,
    bucket: str,
    dataset: str,
    silver: str,
    now: datetime,
) -> Iterator[LateDay]:
    """The days of a dataset that are to be built again, for files that came late.

    `bucket` has the publications, `silver` is the dataset's table whose runs read files. What a run
    states that is not to be believed is passed over: it is a finding of its own. Raises what
    botocore raises.
    """
    read = reader(s3, builders.provenance_bucket)
    for dt, keys in published_days(s3, bucket, dataset).items():
        if not is_looked_at(dt, now.date()):
            continue
        publication = last_of(s3, bucket, keys)
        run = None if publication is None else _run_of(publication, silver)
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
        if found := late_day(publication, landed, known, now):
            yield found


def _run_of(publication: Publication, table: str) -> Run | None:
    shown = (one.run for one in publication.shown if one.table_name == table)
    try:
        return next((Run(publication.dt, run) for run in shown), None)
    except ValueError:
        return None
