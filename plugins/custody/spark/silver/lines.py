"""Reading the lines of landed files: strings only, nothing judged yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T  # noqa: N812

from custody.aws.records.custody_gate import Gate, open_verified, record_of
from custody.aws.s3.listing import StoredVersion
from custody.core.datasets.landed_csv import BrokenFileError, read_rows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SOURCE = ("source_key", "source_version_id")

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


def read_lines(
    objects: Iterable[StoredVersion],
    gate: Gate,
    header: Sequence[str],
    s3_client: Callable[[], S3Client],
) -> Iterator[Line]:
    """The `LINES` of some files: each file's rows, then its closing entry.

    A broken file yields its closing entry only. Holds one line at a time.
    """
    s3 = s3_client()
    for landed in objects:
        source = (landed.version.key, landed.version.version_id)
        record, count = None, 0
        try:
            record = record_of(s3, landed, gate)
            with open_verified(s3, landed.version, record) as file:
                for row in read_rows(file, header):
                    yield (*source, row.line, row.text, row.values, None, None, None, None, None)
                    count += 1
        except BrokenFileError as error:
            closing: tuple[int, str | None, str | None] = (0, error.code, str(error))
        else:
            closing = (count, None, None)
        recorded = (record.sha256, record.size_bytes) if record else (None, None)
        yield (*source, None, None, None, *recorded, *closing)
