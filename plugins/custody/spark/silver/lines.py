"""Reading the lines of landed files: strings, and which patterns they miss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T  # noqa: N812

from custody.aws.records.custody_gate import Gate, open_verified, record_of
from custody.aws.s3.listing import StoredVersion
from custody.core.datasets.contracts import Contract
from custody.core.datasets.landed_csv import BrokenFileError, read_rows
from custody.core.datasets.patterns import compile_pattern

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SOURCE = ("source_key", "source_version_id")
OF_FILES = ("sha256", "size_bytes", "landed_rows", "file_code", "file_reason")

LINES = T.StructType(
    [
        T.StructField("source_key", T.StringType(), nullable=False),
        T.StructField("source_version_id", T.StringType(), nullable=False),
        # A line of a file has source_line; the file's own closing entry has none, but the rest.
        T.StructField("source_line", T.IntegerType()),
        T.StructField("raw_line", T.StringType()),
        T.StructField("fields", T.ArrayType(T.StringType())),
        # The columns, from 0, whose pattern their field does not match; null if there are none.
        T.StructField("unmatched", T.ArrayType(T.IntegerType())),
        T.StructField("sha256", T.StringType()),
        T.StructField("size_bytes", T.LongType()),
        T.StructField("landed_rows", T.LongType()),
        T.StructField("file_code", T.StringType()),
        T.StructField("file_reason", T.StringType()),
    ]
)
"""What reading yields, row by row: strings, and which patterns they miss."""

Line = tuple[str, str, int | None, str | None, Sequence[str | None] | None, *tuple[Any, ...]]

Values = Sequence[str | None]


class UnreadFileError(Exception):
    """Reading a file failed at a fault that is not the file's; the text names file and line."""


def read_lines(
    objects: Iterable[StoredVersion],
    gate: Gate,
    contract: Contract,
    s3_client: Callable[[], S3Client],
) -> Iterator[Line]:
    """The `LINES` of some files: each file's rows, then its closing entry.

    A broken file yields its closing entry only. Holds one line at a time. Raises UnreadFileError
    from whatever else went wrong.
    """
    s3, unmatched = s3_client(), matcher(contract)
    for landed in objects:
        source = (landed.version.key, landed.version.version_id)
        record, line = None, 1
        try:
            record = record_of(s3, landed, gate)
            with open_verified(s3, landed.version, record) as file:
                for row in read_rows(file, contract.header):
                    line, values = row.line, row.values
                    misses = None if values is None else unmatched(values)
                    yield (*source, line, row.text, values, misses, None, None, None, None, None)
        except BrokenFileError as error:
            closing: tuple[int, str | None, str | None] = (0, error.code, str(error))
        except Exception as error:
            raise UnreadFileError(f"{landed}, line {line}: {error}") from error
        else:
            closing = (line - 1, None, None)
        recorded = (record.sha256, record.size_bytes) if record else (None, None)
        yield (*source, None, None, None, None, *recorded, *closing)


def matcher(contract: Contract) -> Callable[[Values], list[int] | None]:
    """Tells of a row's values which columns' patterns they miss; None: they miss none.

    Here and not in Spark, as Spark would have Java read the patterns.
    """
    patterns = [
        (index, compile_pattern(column.pattern).fullmatch)
        for index, column in enumerate(contract.columns)
        if column.pattern is not None
    ]

    def unmatched(values: Values) -> list[int] | None:
        return [
            index
            for index, matches in patterns
            if (value := values[index]) is not None and not matches(value)
        ] or None

    return unmatched
