"""Reading landed files: every part of one by a reader who has verified the whole, into rows that
are judged, handed over in columns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from zipimport import zipimporter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custody.aws.records.custody_gate import Gate, open_verified, record_of
from custody.core.datasets.contracts import Contract
from custody.core.datasets.landed.binary import AnyBytes
from custody.core.datasets.landed.parts import Cut
from custody.core.datasets.landed.text import BrokenFileError, TextCheck
from custody.core.records.model import LandingRecord
from custody.spark.silver.csv_columns import read_csv, read_together, small_csv
from custody.spark.silver.faults import row_at_fault
from custody.spark.silver.judging.items import array_type
from custody.spark.silver.judging.rules import Judge, Judged
from custody.spark.silver.judging.values import arrow_type
from custody.spark.silver.parquet.reading import read_parquet
from custody.spark.silver.rows import (
    BATCH_BYTES,
    BATCH_ROWS,
    Lines,
    Read,
    Rows,
    in_lists,
    of_landed,
    together,
)
from custody.spark.silver.shares import FilePart

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CLOSING: Final = pa.struct(
    [
        ("sha256", pa.string()),
        ("size_bytes", pa.int64()),
        ("landed_rows", pa.int64()),
        ("file_reason", pa.string()),
    ]
)
_CLOSING_OF_SPARK: Final = (
    "struct<sha256: string, size_bytes: bigint, landed_rows: bigint, file_reason: string>"
)


_FEW_BYTES: Final = 16 * 1024
"""A file of so few is read together with others: Arrow takes longer to be asked than to read it."""
_TIMES_PACKED: Final = 20
"""What is packed is so many times larger, about."""


def lines_of(contract: Contract) -> str:
    """The columns in which the rows of a contract's files are handed over, as Spark spells them.

    `file` is the number of an object version. A row has `source_line`; its `reasons` and `raw_line`
    are null if it is accepted. The `closing` entry of a part has neither, nor any value.
    """
    values = [f"`{column.name}` {column.type}" for column in contract.columns]
    for array in contract.arrays:
        fields = ", ".join(f"`{column.name}`: {column.type}" for column in array.columns)
        values.append(f"`{array.name}` array<struct<{fields}>>")
    head = ("file int", "source_line int", "reasons array<string>", "raw_line string")
    return ", ".join([*head, *values, f"closing {_CLOSING_OF_SPARK}"])


class UnreadFileError(Exception):
    """Reading a file failed at a fault that is not the file's; the text names file and line."""


def read_lines(
    parts: Iterable[FilePart],
    gate: Gate,
    contract: Contract,
    dt: date,
    s3_client: Callable[[], S3Client],
) -> Iterator[Any]:
    """The rows of some parts of files, judged as of the day `dt`, and their closing entries, in
    batches of the columns `lines_of` the contract.

    A part of a broken file yields its closing entry only. Holds a few MiB at a time. Raises
    UnreadFileError from whatever else went wrong.
    """
    s3, batches, landed_as = s3_client(), _Batches(contract, dt), contract.format
    for one in parts:
        version = one.landed.version
        record, line, count, cut = None, 1, 0, Cut(one.part, header=landed_as.has_header)
        reason: str | None = None
        try:
            record = record_of(s3, one.landed, gate)
            kept = None if landed_as.is_packed(version.key) else cut
            size = one.part.size * (1 if kept else _TIMES_PACKED)
            check = TextCheck(landed_as.not_text) if landed_as.has_lines else AnyBytes()
            with open_verified(s3, version, record, check, kept) as file:
                for rows in read_rows(file, contract, cut.before, size):
                    count += len(rows)
                    line = line_of(rows, -1)
                    yield from batches.of(one, rows)
        except BrokenFileError as error:
            reason, count = str(error), 0
        except UnreadFileError:
            raise
        except Exception as error:
            raise UnreadFileError(f"{version}, line {line}: {error}") from error
        batches.close(one, record, count, reason)
    yield from batches.rest()
    _forget_archives()


def _forget_archives() -> None:
    """Leave no importer of an archive to the worker's next task.

    pyspark begins each by `importlib.invalidate_caches`, for which zipimport reads the directory of
    an archive once for every package that was imported from it: an eighth of a second for Spark's
    own (https://github.com/python/cpython/issues/103200). Who imports more gets a new importer.
    """
    importers = sys.path_importer_cache
    for path in [path for path, found in importers.items() if isinstance(found, zipimporter)]:
        del importers[path]


def read_rows(file: BinaryIO, contract: Contract, before: int, size: int) -> Iterator[Read]:
    """The rows of a verified file of about as many bytes (or of its part, `before` which stand so
    many lines): in columns where there is something to gain, else one by one.

    Raises BrokenFileError before the first row if it is not as the contract's format says.
    """
    landed_as, header = contract.format, contract.header
    if not landed_as.has_lines:
        return read_parquet(file, contract.columns)
    if landed_as.name == "csv" and len(header) > 1:
        read = read_csv if size > _FEW_BYTES else small_csv
        return read(file, header, before=before, delimiter=landed_as.delimiter)
    rows = landed_as.read_rows(file, contract.columns, contract.arrays, before=before)
    return in_lists(rows)


def line_of(rows: Read, index: int) -> int:
    """The line on which one of some rows stands."""
    if isinstance(rows, Lines):
        return rows.before + 1 + range(len(rows))[index]
    return int(rows.lines[index].as_py()) if isinstance(rows, Rows) else rows[index].line


def in_columns(parts: Iterable[Read], contract: Contract) -> Iterator[Rows]:
    """The same rows in columns: those in none yet, all at once that follow each other."""
    widths = [len(contract.header), *(len(array.columns) for array in contract.arrays)]
    for _, some in groupby(parts, key=type):
        alike = list(some)
        yield from (rows for rows in alike if isinstance(rows, Rows))
        if lines := [rows for rows in alike if isinstance(rows, Lines)]:
            yield read_together(lines, contract.header, contract.format.delimiter)
        if landed := [rows for rows in alike if not isinstance(rows, (Rows, Lines))]:
            yield of_landed(list(chain.from_iterable(landed)), widths)


class _Batches:
    """Gathers rows, of several files where these are small, and judges many at once."""

    def __init__(self, contract: Contract, dt: date) -> None:
        self._judge = Judge(contract, dt)
        self._contract = contract
        self._types = [
            *(arrow_type(column) for column in contract.columns),
            *(array_type(array) for array in contract.arrays),
        ]
        values = (*contract.header, *(array.name for array in contract.arrays))
        self._names = ("file", "source_line", "reasons", "raw_line", *values, "closing")
        self._held: list[tuple[FilePart, Read]] = []
        self._rows = self._bytes = 0
        self._closed: list[tuple[object, ...]] = []

    def of(self, one: FilePart, rows: Read) -> Iterator[Any]:
        """Take rows of a part; what has come together, once it is enough."""
        self._held.append((one, rows))
        self._rows += len(rows)
        if isinstance(rows, (Rows, Lines)):
            self._bytes += rows.nbytes
        else:
            self._bytes += sum(len(row.text) for row in rows)
        if self._rows >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            yield self._judged()

    def close(
        self, one: FilePart, record: LandingRecord | None, count: int, reason: str | None
    ) -> None:
        """Take the closing entry of a part."""
        hashed = (None, None) if record is None else (record.sha256, record.size_bytes)
        self._closed.append((one.number, *hashed, count, reason))

    def rest(self) -> Iterator[Any]:
        """What has come together since."""
        if self._held:
            yield self._judged()
        if self._closed:
            yield self._closing()

    def _judged(self) -> Any:
        held, self._held = self._held, []
        self._rows = self._bytes = 0
        try:
            rows, judged = self._judge_all([rows for _, rows in held])
        except Exception as error:
            raise UnreadFileError(f"{self._where(held)}: {error}") from error
        files = np.repeat([one.number for one, _ in held], [len(rows) for _, rows in held])
        rejected = pc.is_valid(judged.reasons)
        # Only what goes to quarantine needs its line: the others are a good deal lighter without.
        raw = pa.nulls(len(rows), pa.string())
        if rejected.true_count:
            raw = pc.ascii_rtrim(pc.if_else(rejected, rows.texts, None), "\r\n")
        return self._batch(
            pa.array(files, pa.int32()),
            rows.lines,
            judged.reasons,
            raw,
            *judged.values,
            pa.nulls(len(rows), _CLOSING),
        )

    def _judge_all(self, parts: Sequence[Read]) -> tuple[Rows, Judged]:
        rows = together(list(in_columns(parts, self._contract)))
        return rows, self._judge.judge(rows)

    def _where(self, held: Sequence[tuple[FilePart, Read]]) -> str:
        """At which row judging these has failed; the first and the last, if at none alone."""
        for one, rows in held:
            index = row_at_fault(lambda some: self._judge_all([some]), rows)
            if index is not None:
                return f"{one.landed.version}, line {line_of(rows, index)}"
        (first, begin), (last, end) = held[0], held[-1]
        until = f"{last.landed.version}, line {line_of(end, -1)}"
        return f"{first.landed.version}, line {line_of(begin, 0)} to {until}"

    def _closing(self) -> Any:
        closed, self._closed = self._closed, []
        numbers, *entries = zip(*closed, strict=True)
        return self._batch(
            pa.array(numbers, pa.int32()),
            *(
                pa.nulls(len(closed), of)
                for of in (pa.int32(), pa.list_(pa.string()), pa.string(), *self._types)
            ),
            pa.StructArray.from_arrays(
                [pa.array(of, field.type) for of, field in zip(entries, _CLOSING, strict=True)],
                fields=list(_CLOSING),
            ),
        )

    def _batch(self, *arrays: Any) -> Any:
        return pa.RecordBatch.from_arrays(list(arrays), self._names)
