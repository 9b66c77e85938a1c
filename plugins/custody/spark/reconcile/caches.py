"""The caches of checks, as a run finds them and as it leaves them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pyspark import SparkContext

from custody.aws.runs.caches import CacheTrust, named_files
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.kinds.at_rest import altered_file_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.runs.files import WrittenFile, cache_folder
from custody.spark.checks import Checks, intact
from custody.spark.runs import Judge, seal_signer
from custody.spark.startup import s3_client

log = logging.getLogger(__name__)

RECORD_CHECKS: Final = "record_checks/"
LINEAGE_CHECKS: Final = "lineage_checks/"


@dataclass(frozen=True, slots=True)
class Caches:
    """The tables of checks of a window's days: what may be believed of them, and the files whose
    bytes are not those that their run named (`altered`)."""

    records: Checks
    statements: Checks
    folders: Sequence[str]
    bucket: str
    altered: Sequence[WrittenFile]

    @classmethod
    def of(cls, context: SparkContext, judge: Judge, window: Window) -> Caches:
        """What earlier runs of the same job left of the days of `window`, for keys that `judge`
        trusts too; and where this one adds to it."""
        bucket = judge.settings.analytics_bucket
        trust = CacheTrust(
            provenance=judge.settings.provenance_bucket,
            key=seal_signer(judge.settings).key,
            job=judge.run.job_name,
            trust=judge.basis.trust,
        )
        altered: list[WrittenFile] = []
        folders: list[str] = []

        def table(name: str, days: Iterable[date]) -> Checks:
            days = list(days)
            named = named_files(s3_client(), bucket, name, days, trust)
            good, bad = intact(context, bucket, named, s3_client)
            altered.extend(bad)

            def folder(day: date) -> str:
                judged = window.as_of.date()
                return cache_folder(name, day, judged=judged, run_id=judge.run.id)

            folders.extend(map(folder, days))
            known = [f"s3://{bucket}/{file.key}" for file in good]
            return Checks(known, lambda day: f"s3://{bucket}/{folder(day)}")

        records = table(RECORD_CHECKS, window.record_days)
        return cls(records, table(LINEAGE_CHECKS, window.days), folders, bucket, altered)

    def rows(self, window: Window, policy: Policy) -> list[LedgerRow]:
        """The row of each file whose bytes are not those that its run named."""
        for file in self.altered:
            log.error("s3://%s/%s has not the bytes that its run named", self.bucket, file.key)
        return altered_file_rows(self.altered, self.bucket, time=window.last_moment, policy=policy)
