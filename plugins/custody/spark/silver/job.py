"""Build one day of silver: read what landed, judge it, account for it, state the lineage."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.aws.kms.public_keys import trusted_keys
from custody.aws.records.custody_gate import Gate
from custody.aws.s3.listing import list_current
from custody.core.datasets.contracts import Contract
from custody.core.lineage.model import HashedObject
from custody.objects import ObjectVersion
from custody.settings import Settings
from custody.spark.contracts import read_contract
from custody.spark.glue_runs import GlueRun, check_deployed, record_lineage
from custody.spark.silver.lines import LINES, SOURCE, read_lines, shared_out
from custody.spark.silver.outcomes import REFUSED, Totals, account, decide, quarantine, silver
from custody.spark.silver.rules import judge
from custody.spark.startup import kms_client, s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

AREAS = ("silver", "quarantine", "files")


class NoInputError(Exception):
    """There is nothing to build the day from."""


class RejectedShareError(Exception):
    """More of the day was rejected than its contract allows."""


class AccountingError(Exception):
    """A row was lost or invented."""


@dataclass(frozen=True, slots=True)
class SilverRun:
    """Which day of which dataset a run builds, and where; `run_id` names the run's own prefix."""

    dataset: str
    dt: date
    run_id: str
    raw_bucket: str
    provenance_bucket: str
    processed_bucket: str

    @classmethod
    def of(cls, run: GlueRun) -> SilverRun:
        """What a run was given; raises `ValueError` for a `dt` that is no day."""
        given = run.parameters
        return cls(
            dataset=given["dataset"],
            dt=date.fromisoformat(given["dt"]),
            run_id=run.id,
            raw_bucket=given["raw_bucket"],
            provenance_bucket=given["provenance_bucket"],
            processed_bucket=given["processed_bucket"],
        )

    @property
    def landing_prefix(self) -> str:
        return f"incoming/{self.dataset}/dt={self.dt}/"

    def output(self, area: str) -> str:
        """The S3 URI of one of the run's outputs."""
        return f"s3://{self.processed_bucket}/{area}/{self.dataset}/dt={self.dt}/run={self.run_id}/"


def run(
    spark: SparkSession,
    day: SilverRun,
    contract: Contract,
    gate: Gate,
    s3_client: Callable[[], S3Client],
    output: Callable[[str], str],
) -> Totals:
    """Build the day, and return its totals; `output` gives the URI to write each area to.

    Raises `NoInputError`, `RejectedShareError` or `AccountingError`.
    """
    # Times in files are UTC. What is not of its type is null, never an error and never guessed at:
    # the rules reject it.
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    spark.conf.set("spark.sql.legacy.timeParserPolicy", "CORRECTED")

    objects = list_current(s3_client(), day.raw_bucket, day.landing_prefix)
    location = f"s3://{day.raw_bucket}/{day.landing_prefix}"
    if not objects:
        raise NoInputError(f"nothing landed for {day.dataset} on {day.dt}: {location}")
    log.info("%d files under %s", len(objects), location)

    shares = shared_out(objects, spark.sparkContext.defaultParallelism)
    lines = spark.createDataFrame(
        spark.sparkContext.parallelize(shares, len(shares)).flatMap(
            lambda parts: read_lines(parts, gate, contract, s3_client)
        ),
        LINES,
        verifySchema=False,
    )
    # Kept, as three tables are made of it: everything is read, judged and compared once.
    decided = decide(judge(lines, contract, day.dt), contract).persist()
    files = account(decided).persist()
    totals = Totals.of(files)
    log.info("%s", totals)
    if totals.broken_files:
        _log_broken(files)
    if totals.unbalanced_files:
        raise AccountingError(f"{totals.unbalanced_files} files do not balance: {totals}")
    written = {
        "silver": (silver(decided, contract), totals.silver_rows),
        "quarantine": (
            quarantine(decided, files),
            totals.quarantined_rows + totals.broken_files,
        ),
        "files": (files, totals.files),
    }
    for area, (frame, rows) in written.items():
        _write(spark, frame, output(area), rows)
    _check_shares(totals, contract, output("quarantine"))
    return totals


def _log_broken(files: DataFrame, most: int = 100) -> None:
    """A line for every broken file (the first `most` of them)."""
    for row in files.where(F.col("file_reason").isNotNull()).orderBy(*SOURCE).limit(most).collect():
        log.error(
            "quarantined the whole file %s (version %s): %s",
            row["source_key"],
            row["source_version_id"],
            row["file_reason"],
        )


def _write(spark: SparkSession, frame: DataFrame, uri: str, rows: int) -> None:
    frame.write.mode("errorifexists").parquet(uri)
    found = spark.read.schema(frame.schema).parquet(uri).count()
    if found != rows:
        raise AccountingError(f"{uri}: {rows} rows were to be written, {found} can be read")
    log.info("wrote %d rows to %s", rows, uri)


def _check_shares(totals: Totals, contract: Contract, quarantined_at: str) -> None:
    """Rows count by their number, and files nobody can read by their bytes: their rows are unknown.

    A file that the custody gate refuses counts nowhere. That is a finding, which pages, and a
    recorder that is down must not stop the files it did record.
    """
    if totals.broken_files == totals.files:
        raise NoInputError(f"none of the {totals.files} files could be read; see {quarantined_at}")
    if totals.quarantined_rows > contract.max_rejected_share * totals.landed_rows:
        raise RejectedShareError(
            f"{totals.quarantined_rows} of {totals.landed_rows} rows were rejected, more than the "
            f"{contract.max_rejected_share} the contract allows; see {quarantined_at}"
        )
    if totals.broken_bytes > contract.max_rejected_share * totals.bytes:
        raise RejectedShareError(
            f"{totals.broken_bytes} of {totals.bytes} bytes are in files that cannot be read, more "
            f"than the {contract.max_rejected_share} the contract allows; see {quarantined_at}"
        )


def read_inputs(files: DataFrame, bucket: str) -> list[HashedObject]:
    """The object versions that came through the custody gate, out of the run's row accounting.

    Broken files are among them: their bytes decided what stands in quarantine. A file that the gate
    refused is not: no byte of it was used.
    """
    refused = F.coalesce(F.col("file_reason").startswith(REFUSED), F.lit(False))
    passed = files.where(~refused).select(*SOURCE, "sha256")
    return [
        HashedObject(ObjectVersion(bucket, key, version_id), sha256)
        for key, version_id, sha256 in passed.toLocalIterator()
    ]


def build_silver(this: GlueRun) -> None:
    """Build the day that a run of the job was given, and state its lineage."""
    day, parameters = SilverRun.of(this), this.parameters
    check_deployed(s3_client(), this, parameters["code_location"])
    contract, contract_file = read_contract(s3_client(), parameters["code_location"], day.dataset)
    this = replace(this, materials=(*this.materials, contract_file))
    keys = Settings.parse(parameters["signing_keys"], what="signing_keys")
    gate = Gate(day.provenance_bucket, trusted_keys(kms_client(keys.signing_key_arn), keys))
    log.info("contract %s %s, run %s", contract.dataset, contract.version, day.run_id)
    spark = SparkSession.builder.appName("bronze_to_silver").getOrCreate()
    totals = run(spark, day, contract, gate, s3_client, day.output)
    record_lineage(
        spark,
        this,
        inputs=read_inputs(spark.read.parquet(day.output("files")), day.raw_bucket),
        locations=[day.output(area) for area in AREAS],
        s3_client=s3_client,
        kms=kms_client(parameters["lineage_key_arn"]),
    )
    log.info("done: %s", totals)
