"""Judge a table that a run has written, keep what was found, and stop the run where that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from pyspark.sql import SparkSession

from custody.aws.publications.comparing import Published
from custody.aws.s3.write_once import put_if_absent
from custody.core.datasets.contracts import Contract
from custody.core.datasets.quality.judging import Judged, Measured, days_compared, judge
from custody.core.datasets.quality.results import (
    Outcome,
    QualityResult,
    as_table,
    results_key,
    results_of_run,
    to_bytes,
)
from custody.core.datasets.quality.rules import Unresolved
from custody.core.datasets.tables import Table
from custody.core.formats.timestamps import format_utc
from custody.spark.glue_runs import GlueRun, lineage_trust
from custody.spark.quality.measuring import measure
from custody.spark.quality.references import others_of

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_TOLD: Final = 10
"""Rules that are named where a run says why it failed; Glue keeps so many words and no more."""


class BrokenRules(Exception):
    """The day breaks rules whose severity is error; the text names each, expected and found."""


@dataclass(frozen=True)
class Judge:
    """A run of a job that builds, and what it needs to judge what it has written."""

    spark: SparkSession
    run: GlueRun
    contract: Contract
    s3_client: Callable[[], S3Client]
    kms: KMSClient

    def judge(self, written: Mapping[Table, str]) -> list[str]:
        """Judge the tables of the run, each at an S3 URI, by their rules, and keep the results.

        Returns the S3 URIs of what was written, which is the run's as its rows are: nothing where
        there are no rules. Raises `BrokenRules`, with the results kept; `NotComparable`, or what
        `verified_outputs` raises, where what the day is compared with is not to be believed.
        """
        given = self.run.parameters
        bucket, day = given["analytics_bucket"], date.fromisoformat(given["dt"])
        found: list[QualityResult] = []
        for table, location in written.items():
            if not table.rules:
                continue
            results = judge(table.rules, self._measured(table, location, day), self._of(table, day))
            key = results_key(given["dt"], self.run.id, table.name)
            if not put_if_absent(self.s3_client(), bucket, key, to_bytes(results)):
                raise FileExistsError(f"s3://{bucket}/{key} is there already")
            found += results
        if not found:
            return []
        place = f"s3://{bucket}/{results_of_run(given['dt'], self.run.id)}"
        _tell(found)
        _stop_where_broken(found, place)
        return [place]

    def _of(self, table: Table, day: date) -> Judged:
        contract, run = self.contract, self.run
        at = format_utc(run.started_on)
        return Judged(contract.dataset, table.name, day, run.id, contract.version, at)

    def _measured(self, table: Table, location: str, day: date) -> Measured:
        spark, rules, given = self.spark, table.rules, self.run.parameters
        days = days_compared(rules, day)
        earlier = self._published().rows(self.contract.dataset, table.name, days) if days else {}
        kinds = dict(table.columns)
        others = {
            rule.name: others_of(
                spark,
                rule.measure,
                kinds[rule.measure.column],
                day,
                published=self._published(),
                processed_bucket=given["processed_bucket"],
                s3_client=self.s3_client,
            )
            for rule in rules
            if isinstance(rule.measure, Unresolved)
        }
        frame = spark.read.schema(", ".join(map(" ".join, table.columns))).parquet(location)
        values = {name: other.values for name, other in others.items()}
        rows, counts = measure(frame, rules, values)
        for other in others.values():
            other.check_unchanged(self.s3_client())
        told = {name: other.in_words for name, other in others.items()}
        return Measured(rows, counts, earlier, told)

    def _published(self) -> Published:
        """Of this job's own runs: gold is compared with gold, silver with silver."""
        given = self.run.parameters
        trust = lineage_trust(self.run, self.kms, self.run.job_name)
        return Published(
            self.s3_client(), given["analytics_bucket"], given["provenance_bucket"], trust
        )


def _tell(results: Sequence[QualityResult]) -> None:
    for line in as_table(results):
        log.info("%s", line)
    for result in results:
        if result.outcome == Outcome.WARNED:
            log.warning("%s", result)


def _stop_where_broken(results: Sequence[QualityResult], place: str) -> None:
    broken = [result for result in results if result.has_failed]
    if broken:
        told = "; ".join(map(str, broken[:_TOLD]))
        raise BrokenRules(f"{len(broken)} rules are broken: {told}; see {place}")
