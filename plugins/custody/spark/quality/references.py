"""The values that a reference to another dataset may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession

from custody.aws.publications.comparing import NotComparable, Published
from custody.core.datasets.quality.rules import Unresolved
from custody.core.lineage.model import HashedObject
from custody.spark.glue_runs import check_unchanged, verified_outputs

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Others:
    """The values, None where nothing is published; what was read, and in words."""

    values: DataFrame | None
    read: dict[str, list[HashedObject]]
    in_words: str

    def check_unchanged(self, s3: S3Client) -> None:
        """Raise `ChangedOutputs` if something else lies there now than what was verified."""
        for location, objects in self.read.items():
            check_unchanged(s3, location, objects)


def others_of(
    spark: SparkSession,
    rule: Unresolved,
    kind: str,
    day: date,
    *,
    published: Published,
    processed_bucket: str,
    s3_client: Callable[[], S3Client],
) -> Others:
    """What the rule's column, of this `kind`, may refer to: the other dataset's silver, as it is
    published of the day and those before. Each is verified against what its run signed.

    Raises `NotComparable`, and what `verified_outputs` raises.
    """
    read: dict[str, list[HashedObject]] = {}
    days = []
    for each in (day - timedelta(days=back) for back in range(rule.days + 1)):
        shown = published.shown(rule.dataset, each, f"silver_{rule.dataset}")
        if shown is None:
            continue
        place = f"s3://{processed_bucket}/silver/{rule.dataset}/dt={each}/run={shown.run}/"
        if shown.location != place:
            raise NotComparable(
                f"{rule.dataset} of {each} is published from {shown.location}, where no run of it "
                "writes; build that day again"
            )
        read[place] = verified_outputs(
            spark, place, read=published.read, trust=published.trust, s3_client=s3_client
        )
        days.append(f"{each} (run {shown.run})")
    frames = [
        spark.read.schema(f"{rule.other} {kind}").parquet(place)
        for place, objects in read.items()
        if objects
    ]
    values = reduce(DataFrame.union, frames) if frames else None
    return Others(values, read, f"{rule.dataset} of {', '.join(days) or 'no day'}")
