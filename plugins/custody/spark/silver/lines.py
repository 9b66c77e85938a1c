"""Reading the lines of landed files: strings, and which patterns they miss."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T  # noqa: N812

from custody.aws.records.custody_gate import Gate, open_verified, record_of
from custody.aws.s3.listing import StoredVersion
from custody.core.datasets.contracts import Contract
from custody.core.datasets.landed.formats import says_packed
from custody.core.datasets.landed.parts import Cut, Part, parts_of
from custody.core.datasets.landed.text import BrokenFileError, TextCheck
from custody.core.datasets.patterns import compile_pattern

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SOURCE = ("source_key", "source_version_id")
_SHARES = 4
"""Shares for each reader, so that one that is done early takes another."""
_SHARE_BYTES = 2 * 1024 * 1024
"""What a reader has read before another one has begun."""
_FILE_BYTES = 128 * 1024
"""What is read in the time that it takes to ask for a file and its record."""

OF_FILES = ("sha256", "size_bytes", "landed_rows", "file_reason")

LINES = T.StructType(
    [
        T.StructField("source_key", T.StringType(), nullable=False),
        T.StructField("source_version_id", T.StringType(), nullable=False),
        # A line of a file has source_line; the closing entry of a part has none, but the rest.
        T.StructField("source_line", T.IntegerType()),
        T.StructField("raw_line", T.StringType()),
        # The values; empty of a malformed line, and null if they are what stands between the line's
        # delimiters: Spark had better split it then, as handing over each value costs more than all
        # else.
        T.StructField("fields", T.ArrayType(T.StringType())),
        # The columns, from 0, whose pattern their field does not match; null if there are none.
        T.StructField("unmatched", T.ArrayType(T.IntegerType())),
        # Those whose field is of a kind that their type does not allow; null if there are none.
        T.StructField("mistyped", T.ArrayType(T.IntegerType())),
        T.StructField("sha256", T.StringType()),
        T.StructField("size_bytes", T.LongType()),
        T.StructField("landed_rows", T.LongType()),
        T.StructField("file_reason", T.StringType()),
    ]
)
"""What reading yields, row by row: strings, and which patterns they miss."""

Line = tuple[str, str, int | None, str | None, Sequence[str | None] | None, *tuple[Any, ...]]

Values = Sequence[str | None]


class UnreadFileError(Exception):
    """Reading a file failed at a fault that is not the file's; the text names file and line."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a landed file, for one reader."""

    landed: StoredVersion
    part: Part


def shared_out(objects: Sequence[StoredVersion], readers: int) -> list[list[FilePart]]:
    """All parts of the files, in shares of about as much to read each: some for each reader,
    and fewer where there is little. What is packed has no parts.
    """
    parted = parts_of([landed.size for landed in objects], readers)
    parts = [
        FilePart(landed, part)
        for landed, of in zip(objects, parted, strict=True)
        for part in ([Part(0, 1, landed.size)] if says_packed(landed.version.key) else of)
    ]
    # Every reader of a part is fed the whole file; what it parses is its part.
    weights = [_FILE_BYTES + one.part.size / one.part.count for one in parts]
    most = max(1, min(len(parts), readers * _SHARES, math.ceil(sum(weights) / _SHARE_BYTES)))
    shares: list[list[FilePart]] = [[] for _ in range(most)]
    heap = [(0.0, number) for number in range(most)]
    for weight, one in sorted(zip(weights, parts, strict=True), key=itemgetter(0), reverse=True):
        held, number = heap[0]
        shares[number].append(one)
        heapq.heapreplace(heap, (held + weight, number))
    return shares


def read_lines(
    parts: Iterable[FilePart],
    gate: Gate,
    contract: Contract,
    s3_client: Callable[[], S3Client],
) -> Iterator[Line]:
    """The `LINES` of some parts of files: each part's rows, then its closing entry.

    A part of a broken file yields its closing entry only. Holds one line at a time. Raises
    UnreadFileError from whatever else went wrong.
    """
    s3, unmatched, landed_as = s3_client(), matcher(contract), contract.format
    for one in parts:
        version = one.landed.version
        source = (version.key, version.version_id)
        record, line, count, cut = None, 1, 0, Cut(one.part, header=landed_as.has_header)
        reason: str | None = None
        try:
            record = record_of(s3, one.landed, gate)
            kept = None if landed_as.is_packed(version.key) else cut
            with open_verified(s3, version, record, TextCheck(landed_as.not_text), kept) as file:
                for row in landed_as.read_rows(
                    file, contract.columns, contract.arrays, before=cut.before
                ):
                    line, values = row.line, row.values
                    misses = None if values is None else unmatched(values)
                    fields = None if row.is_plain else values or ()
                    kinds = row.mistyped or None
                    yield (*source, line, row.text, fields, misses, kinds, None, None, None, None)
                    count += 1
        except BrokenFileError as error:
            reason, count = str(error), 0
        except Exception as error:
            raise UnreadFileError(f"{version}, line {line}: {error}") from error
        recorded = (record.sha256, record.size_bytes) if record else (None, None)
        yield (*source, None, None, None, None, None, *recorded, count, reason)


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
