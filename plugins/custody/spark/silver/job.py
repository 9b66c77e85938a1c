"""Build one day of silver: read what landed, judge it, account for it, state the lineage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import yaml
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects
from pyspark.sql import types as T  # noqa: N812

from custody.aws.records.evidence import trusted_keys
from custody.aws.records.landed_files import (
    Gate,
    LandedObject,
    list_landed,
    open_verified,
    record_of,
)
from custody.core.datasets.contracts import (
    Check,
    Column,
    Contract,
    NotAfterPartition,
    NotBefore,
    ValidValues,
    parse_contract,
)
from custody.core.datasets.landed_csv import BrokenFileError, read_rows
from custody.core.lineage.model import Material, ObjectVersion
from custody.settings import Settings
from custody.spark.glue_runs import GlueRun, fetch_material, record_lineage
from custody.spark.startup import kms_client, s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

SOURCE = ("source_key", "source_version_id")
AREAS = ("silver", "quarantine", "files")
OUTCOMES = ("silver", "duplicate", "quarantined")
MALFORMED = "row.malformed"

LINES = T.StructType(
    [
        T.StructField("source_key", T.StringType(), nullable=False),
        T.StructField("source_version_id", T.StringType(), nullable=False),
        # A line of a file has source_line; the file's own closing entry has none, but the rest.
        T.StructField("source_line", T.IntegerType()),
        T.StructField("raw_line", T.StringType()),
        T.StructField("fields", T.ArrayType(T.StringType())),
        T.StructField("sha256", T.StringType()),
        T.StructField("size_bytes", T.LongType()),
        T.StructField("landed_rows", T.LongType()),
        T.StructField("file_code", T.StringType()),
        T.StructField("file_reason", T.StringType()),
    ]
)
"""What reading yields, row by row: strings only, nothing judged yet."""

Line = tuple[str, str, int | None, str | None, Sequence[str | None] | None, *tuple[Any, ...]]


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
        """What a run was given; raises ``ValueError`` for a ``dt`` that is no day."""
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


# --- Reading ----------------------------------------------------------------------------------


def read_lines(
    objects: Iterable[LandedObject],
    gate: Gate,
    header: Sequence[str],
    s3_client: Callable[[], S3Client],
) -> Iterator[Line]:
    """The `LINES` of some files: each file's rows, then its closing entry.

    A broken file yields its closing entry only. Holds one line at a time.
    """
    s3 = s3_client()
    for landed in objects:
        source = (landed.key, landed.version_id)
        record, count = None, 0
        try:
            record = record_of(s3, landed, gate)
            with open_verified(s3, landed, record) as file:
                for row in read_rows(file, header):
                    yield (*source, row.line, row.text, row.values, None, None, None, None, None)
                    count += 1
        except BrokenFileError as error:
            closing: tuple[int, str | None, str | None] = (0, error.code, str(error))
        else:
            closing = (count, None, None)
        recorded = (record.sha256, record.size_bytes) if record else (None, None)
        yield (*source, None, None, None, *recorded, *closing)


# --- Judging: DataFrame to DataFrame ------------------------------------------------------------


def judge(lines: DataFrame, contract: Contract, dt: date) -> DataFrame:
    """Every line of `lines`, typed, with the rules it broke.

    Columns: source_key, source_version_id, source_line, raw_line, reasons (array, empty for an
    accepted row), and the contract's columns (null where the text is not of the type).
    """
    rows = lines.where(F.col("source_line").isNotNull())
    raw = {c.name: F.col("fields")[index] for index, c in enumerate(contract.columns)}
    typed = rows.select(
        *SOURCE,
        "source_line",
        "raw_line",
        F.col("fields").isNull().alias("_malformed"),
        *(raw[c.name].alias(f"_raw_{c.name}") for c in contract.columns),
        *(_typed(c, raw[c.name]).alias(c.name) for c in contract.columns),
    )
    broken = [
        F.when(condition, F.lit(f"{column.name}.{rule}"))
        for column in contract.columns
        for rule, condition in _rules(column, dt)
    ]
    reasons = F.when(F.col("_malformed"), F.array(F.lit(MALFORMED))).otherwise(
        F.array_compact(F.array(*broken))
    )
    return typed.select(
        *SOURCE, "source_line", "raw_line", reasons.alias("reasons"), *contract.header
    )


def _typed(column: Column, raw: Expression) -> Expression:
    """The value in its type; null when the text is not of the type."""
    match column.base_type:
        case "string":
            return raw
        case "boolean":
            word = F.lower(raw)
            return F.when(word.isin(*column.true_values), F.lit(True)).when(
                word.isin(*column.false_values),
                F.lit(False),
            )
        case "date" | "timestamp":
            return F.try_to_timestamp(raw, F.lit(column.format)).cast(column.type)
        case "int" | "bigint":
            return _number(column, raw, r"^-?[0-9]{1,19}$")
        case _:
            # Spark would round 1.005 to fit; more places than the type has is no amount at all.
            fraction = rf"(\.[0-9]{{1,{column.scale}}})?" if column.scale else ""
            return _number(column, raw, rf"^-?[0-9]{{1,38}}{fraction}$")


def _number(column: Column, raw: Expression, shape: str) -> Expression:
    """A number whose text has `shape`; null when it does not fit the type."""
    return F.when(raw.rlike(shape), raw).cast(column.type)


def _rules(column: Column, dt: date) -> Iterator[tuple[str, Expression]]:
    """The column's rules, in the contract's order: a name, and when the rule is broken."""
    raw, value = F.col(f"_raw_{column.name}"), F.col(column.name)
    if column.required:
        yield "required", raw.isNull()
    if column.base_type != "string":
        yield "type", raw.isNotNull() & value.isNull()
    if column.minimum is not None:
        yield "minimum", value < F.lit(column.minimum)
    if column.maximum is not None:
        yield "maximum", value > F.lit(column.maximum)
    if column.pattern is not None:
        yield "pattern", ~raw.rlike(column.pattern)
    limits = []
    if column.min_length is not None:
        limits.append(F.length(raw) < column.min_length)
    if column.max_length is not None:
        limits.append(F.length(raw) > column.max_length)
    if limits:
        yield "length", reduce(or_, limits)
    for check in column.checks:
        yield check.name, _broken(check, value, dt)


def _broken(check: Check, value: Expression, dt: date) -> Expression:
    match check:
        case ValidValues(values=values):
            return ~value.isin(*values)
        case NotAfterPartition():
            # Both a date and the first instant of the next day compare right: sessions are UTC.
            return value.cast("timestamp") >= F.lit(dt + timedelta(days=1)).cast("timestamp")
        case NotBefore(column=other):
            return value.cast("date") < F.col(other).cast("date")


def decide(judged: DataFrame, contract: Contract) -> DataFrame:
    """`judged` with every row's ``outcome``: silver, duplicate or quarantined.

    Of the accepted rows with one primary key, the first in the contract's order becomes silver;
    source key, version and line settle a tie, so that the same files always leave the same rows.
    """
    order = [
        F.col(key.column).desc_nulls_last()
        if key.descending
        else F.col(key.column).asc_nulls_last()
        for key in contract.deduplication_order
    ]
    window = Window.partitionBy(*contract.primary_key).orderBy(*order, *SOURCE, "source_line")
    first = F.row_number().over(window) == 1
    accepted, rejected = (judged.where(c) for c in (F.size("reasons") == 0, F.size("reasons") > 0))
    return accepted.withColumn(
        "outcome", F.when(first, F.lit("silver")).otherwise(F.lit("duplicate"))
    ).unionByName(rejected.withColumn("outcome", F.lit("quarantined")))


def silver(decided: DataFrame, contract: Contract) -> DataFrame:
    """The rows that stay: the contract's columns, and where each row came from."""
    return decided.where(F.col("outcome") == "silver").select(
        *contract.header,
        F.col("source_key").alias("_source_key"),
        F.col("source_version_id").alias("_source_version_id"),
        F.col("source_line").alias("_source_line"),
    )


def quarantine(lines: DataFrame, decided: DataFrame) -> DataFrame:
    """The rejected rows; a broken file is one row without a line."""
    columns = (*SOURCE, "source_line", "reasons", "raw_line")
    rows = decided.where(F.col("outcome") == "quarantined").select(*columns)
    files = lines.where(F.col("file_code").isNotNull())
    return rows.unionByName(files.withColumn("reasons", F.array("file_code")).select(*columns))


def account(lines: DataFrame, decided: DataFrame) -> DataFrame:
    """One row per object version: what became of its rows.

    `landed_rows` is what the reader counted, the others what Spark counted: their sum must be the
    same. A broken file has landed no rows; `file_reason` says why.
    """
    files = lines.where(F.col("source_line").isNull())
    counts = decided.groupBy(*SOURCE).agg(
        *(
            F.count(F.when(F.col("outcome") == outcome, 1)).alias(f"{outcome}_rows")
            for outcome in OUTCOMES
        )
    )
    return files.join(counts, list(SOURCE), "left").select(
        *SOURCE,
        "sha256",
        "size_bytes",
        "landed_rows",
        *(F.coalesce(f"{outcome}_rows", F.lit(0)).alias(f"{outcome}_rows") for outcome in OUTCOMES),
        "file_reason",
    )


# --- Running ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Totals:
    """The day's accounting, summed."""

    files: int
    broken_files: int
    landed_rows: int
    silver_rows: int
    duplicate_rows: int
    quarantined_rows: int
    unbalanced_files: int

    @classmethod
    def of(cls, files: DataFrame) -> Totals:
        balance = F.col("silver_rows") + F.col("duplicate_rows") + F.col("quarantined_rows")
        row = files.agg(
            F.count(F.lit(1)).alias("files"),
            F.count("file_reason").alias("broken_files"),
            *(
                F.sum(name).alias(name)
                for name in ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")
            ),
            F.count(F.when(F.col("landed_rows") != balance, 1)).alias("unbalanced_files"),
        ).first()
        return cls(**row.asDict())


def run(
    spark: SparkSession,
    day: SilverRun,
    contract: Contract,
    gate: Gate,
    s3_client: Callable[[], S3Client],
    output: Callable[[str], str],
) -> Totals:
    """Build the day. `output` gives the URI to write an area (silver, quarantine, files) to."""
    # Times in files are UTC. What is not of its type is null, never an error and never guessed at:
    # the rules reject it.
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    spark.conf.set("spark.sql.legacy.timeParserPolicy", "CORRECTED")

    objects = list_landed(s3_client(), day.raw_bucket, day.landing_prefix)
    place = f"s3://{day.raw_bucket}/{day.landing_prefix}"
    if not objects:
        raise NoInputError(f"nothing landed for {day.dataset} on {day.dt}: {place}")
    log.info("%d files under %s", len(objects), place)

    header = contract.header
    slices = min(len(objects), spark.sparkContext.defaultParallelism * 4)
    lines = spark.createDataFrame(
        spark.sparkContext.parallelize(objects, slices).mapPartitions(
            lambda some: read_lines(some, gate, header, s3_client)
        ),
        LINES,
        verifySchema=False,
    ).persist()
    # Fills the cache: the stages below run side by side and would each read the files.
    log.info("read %d lines", lines.count() - len(objects))
    decided = decide(judge(lines, contract, day.dt), contract).persist()
    files = account(lines, decided).persist()
    totals = Totals.of(files)
    if totals.broken_files:
        _log_broken(files)
    if totals.unbalanced_files:
        raise AccountingError(f"{totals.unbalanced_files} files do not balance: {totals}")
    written = {
        "silver": (silver(decided, contract), totals.silver_rows),
        "quarantine": (
            quarantine(lines, decided).repartition(*SOURCE, "source_line"),
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
    if totals.broken_files == totals.files:
        raise NoInputError(f"none of the {totals.files} files could be read; see {quarantined_at}")
    if totals.quarantined_rows > contract.max_rejected_share * totals.landed_rows:
        raise RejectedShareError(
            f"{totals.quarantined_rows} of {totals.landed_rows} rows were rejected, more than the "
            f"{contract.max_rejected_share} the contract allows; see {quarantined_at}"
        )


def read_inputs(files: DataFrame, bucket: str) -> list[ObjectVersion]:
    """The object versions that came through the custody gate, out of the run's row accounting.

    Broken files are among them: their bytes decided what stands in quarantine. A file that the gate
    refused is not: no byte of it was used.
    """
    refused = F.coalesce(F.col("file_reason").startswith("custody."), F.lit(False))
    passed = files.where(~refused).select(*SOURCE, "sha256")
    return [ObjectVersion(bucket, *row) for row in passed.toLocalIterator()]


def read_contract(s3: S3Client, uri: str, dataset: str) -> tuple[Contract, Material]:
    """The contract at an S3 URI; raises ValueError when it is another dataset's."""
    body, material = fetch_material(s3, "contract", uri)
    contract = parse_contract(yaml.safe_load(body))
    if contract.dataset != dataset:
        raise ValueError(f"{uri} is the contract of {contract.dataset}, not of {dataset}")
    return contract, replace(material, version=contract.version)


def build_silver(this: GlueRun) -> None:
    """Build the day that a run of the job was given, and state its lineage."""
    day, parameters = SilverRun.of(this), this.parameters
    contract, contract_file = read_contract(s3_client(), parameters["contract"], day.dataset)
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
        places=[day.output(area) for area in AREAS],
        s3_client=s3_client,
        kms=kms_client(parameters["lineage_key_arn"]),
    )
    log.info("done: %s", totals)
