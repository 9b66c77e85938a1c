"""Build one day of silver: read what landed, judge it, account for it, state the lineage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.aws.kms.personal import dataset_key
from custody.aws.kms.public_keys import trusted_keys
from custody.aws.records.custody_gate import Gate
from custody.aws.s3.listing import list_current
from custody.core.datasets.arrays import Array
from custody.core.datasets.contracts import Contract
from custody.core.datasets.personal import column_keys, personal_by_table
from custody.core.datasets.tables import silver_tables
from custody.core.lineage.account import ACCOUNT_NAME, DayAccount
from custody.settings import Settings
from custody.spark.contracts import read_contract
from custody.spark.counts import count_rows
from custody.spark.glue_runs import GlueRun, check_deployed, record_lineage, split_uri
from custody.spark.quality.judging import Judge
from custody.spark.silver.accounts import FileAccount, Totals, read_inputs
from custody.spark.silver.lines import lines_of, read_lines
from custody.spark.silver.outcomes import (
    account,
    decide,
    files,
    item_rows,
    named,
    quarantine,
    silver,
)
from custody.spark.silver.personal import tokens
from custody.spark.silver.shares import packed, shared_out, unpacked
from custody.spark.startup import kms_client, s3_client
from custody.spark.times import keep_times

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

AREAS = ("silver", "quarantine", "files")
_TASK_BYTES: Final = 64 * 1024 * 1024
"""What of the landed bytes one task compares, and writes as one file."""


def area_of_items(array: Array) -> str:
    """Where the items of an array are written."""
    return f"silver_{array.name}"


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
        area, _, array = area.partition("_")
        dataset = f"{self.dataset}_{array}" if array else self.dataset
        return self.place(f"{area}/{dataset}")

    def place(self, folder: str) -> str:
        """The S3 URI at which the run writes what lies in a folder."""
        return f"s3://{self.processed_bucket}/{folder}/dt={self.dt}/run={self.run_id}/"


def run(
    spark: SparkSession,
    day: SilverRun,
    contract: Contract,
    gate: Gate,
    s3_client: Callable[[], S3Client],
    output: Callable[[str], str],
    keys: Mapping[str, Mapping[str, bytes]],
) -> list[FileAccount]:
    """Build the day, and return the account of each file; `output` gives the URI to write each
    area to, and `keys` are those of `custody.core.datasets.personal`.

    Raises `NoInputError`, `RejectedShareError` or `AccountingError`.
    """
    keep_times(spark)
    spark.conf.set("spark.sql.ansi.enabled", "false")

    objects = list_current(s3_client(), day.raw_bucket, day.landing_prefix)
    location = f"s3://{day.raw_bucket}/{day.landing_prefix}"
    if not objects:
        raise NoInputError(f"nothing landed for {day.dataset} on {day.dt}: {location}")
    log.info("%d files under %s", len(objects), location)

    readers, has_lines = spark.sparkContext.defaultParallelism, contract.format.has_lines
    # Packed, as every reader is given all shares, and unpacks its own.
    shares = [packed(share) for share in shared_out(objects, readers, has_lines=has_lines)]
    lines = spark.range(0, len(shares), 1, len(shares)).mapInArrow(
        lambda numbers: read_lines(
            (
                one
                for batch in numbers
                for number in batch["id"]
                for one in unpacked(shares[number.as_py()])
            ),
            gate,
            contract,
            day.dt,
            s3_client,
        ),
        lines_of(contract),
    )
    # Kept as it is, as three tables are made of it: everything is read, judged and compared once,
    # and fails if what is kept is lost. Spark's cache would turn every row into columns, which
    # costs twice what comparing them does.
    tasks = max(min(len(shares), readers), sum(of.size for of in objects) // _TASK_BYTES)
    decided = decide(lines, contract, tasks).localCheckpoint(eager=False)
    versions = [landed.version for landed in objects]
    accounts = account(decided, contract.arrays, versions)
    names = named(spark, versions)
    totals = Totals.of(accounts)
    log.info("%s", totals)
    _log_broken(accounts)
    if totals.unbalanced_files:
        raise AccountingError(f"{totals.unbalanced_files} files do not balance: {totals}")
    personal = {table: keys[table] for table in personal_by_table(contract)}
    written = {
        "silver": (
            tokens(silver(decided, contract, names), personal.get("", {})),
            totals.silver_rows,
        ),
        "quarantine": (
            quarantine(decided, accounts, names, keeps_lines=not personal),
            totals.quarantined_rows + totals.broken_files,
        ),
        "files": (files(spark, accounts, contract.arrays), totals.files),
        **{
            area_of_items(array): (
                tokens(item_rows(decided, contract, array, names), personal.get(array.name, {})),
                rows,
            )
            for array, rows in zip(contract.arrays, totals.item_rows, strict=True)
        },
    }
    _write(spark, {output(area): of for area, of in written.items()})
    _check_shares(totals, contract, output("quarantine"))
    return accounts


def _log_broken(accounts: list[FileAccount], most: int = 100) -> None:
    """A line for every broken file (the first `most` of them)."""
    for file in [file for file in accounts if file.is_broken][:most]:
        log.error(
            "quarantined the whole file %s (version %s): %s",
            file.source_key,
            file.source_version_id,
            file.file_reason,
        )


def _write(spark: SparkSession, outputs: Mapping[str, tuple[DataFrame, int]]) -> None:
    """Write to each URI its rows; raises AccountingError if not as many as given can be read."""
    for uri, (frame, _) in outputs.items():
        frame.write.mode("errorifexists").parquet(uri)
    found = count_rows(
        {uri: spark.read.schema(frame.schema).parquet(uri) for uri, (frame, _) in outputs.items()}
    )
    for uri, (_, rows) in outputs.items():
        if found[uri] != rows:
            raise AccountingError(
                f"{uri}: {rows} rows were to be written, {found[uri]} can be read"
            )
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


def personal_keys(key_arn: str, contract: Contract) -> dict[str, dict[str, bytes]]:
    """The keys of the columns that are personal data, by table."""
    if not personal_by_table(contract):
        return {}
    return column_keys(dataset_key(kms_client(key_arn), key_arn, contract.dataset), contract)


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
    personal = personal_keys(parameters["token_key_arn"], contract)
    accounts = run(spark, day, contract, gate, s3_client, day.output, personal)
    kms = kms_client(parameters["lineage_key_arn"])
    judged = Judge(spark, this, contract, s3_client, kms).judge(
        {table: day.place(table.folder) for table in silver_tables(contract)}
    )
    totals = Totals.of(accounts)
    reasons = reasons_in(spark, day.output("quarantine")) if totals.is_anything_rejected else {}
    keep_account(s3_client(), day.output("files"), totals.with_reasons(reasons))
    record_lineage(
        spark,
        this,
        inputs=read_inputs(accounts, day.raw_bucket),
        locations=[
            *(day.output(area) for area in (*AREAS, *map(area_of_items, contract.arrays))),
            *judged,
        ],
        s3_client=s3_client,
        kms=kms,
    )
    log.info("done: %s", totals)


def reasons_in(spark: SparkSession, quarantined_at: str) -> dict[str, int]:
    """How many rows and files stand in a quarantine for each reason."""
    rows = spark.read.schema("reasons array<string>").parquet(quarantined_at)
    reasons = rows.select(F.explode("reasons").alias("reason"))
    return {row["reason"]: row["count"] for row in reasons.groupBy("reason").count().collect()}


def keep_account(s3: S3Client, files_at: str, account: DayAccount) -> None:
    """Write the account of the day beside those of its files; raises what botocore raises."""
    bucket, prefix = split_uri(files_at)
    key, body = f"{prefix}{ACCOUNT_NAME}", account.to_bytes()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
