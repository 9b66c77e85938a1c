"""Parquet is decoded apart, in bounded memory; what lies, bursts or is of other types is broken.

Each file is decoded by a process of its own, which takes a moment to begin.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tests.support.parquet import counting, parquet, swollen, with_footer

from custody.core.datasets.columns import Column
from custody.core.datasets.landed.text import MAX_LINE_BYTES, BrokenFileError
from custody.spark.silver.parquet import decoding
from custody.spark.silver.parquet.bounds import PIECE_BYTES, Refused, check_schema
from custody.spark.silver.parquet.reading import decoded as decoding_of
from custody.spark.silver.parquet.reading import read_parquet

ID = [Column("id", "string")]
COLUMNS = [
    *ID,
    Column("n", "int"),
    Column("big", "bigint"),
    Column("worth", "decimal(9,2)"),
    Column("ok", "boolean", true_values=("yes",), false_values=("no",)),
    Column("on", "date"),
    Column("at", "timestamp"),
]
TIME = datetime(2026, 11, 1, 10, 0, 5, tzinfo=UTC)
HONEST = parquet(pa.table({"id": ["a", None] * 50}))


@dataclass(frozen=True)
class Row:
    """A row as it is read: `values` is None if it is malformed."""

    line: int
    text: str
    values: tuple[str | None, ...] | None


def rows(body: bytes, columns: list[Column] = ID) -> list[Row]:
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.seek(0)
        return [
            Row(line, text, None if is_malformed else tuple(values))
            for found in read_parquet(file, columns)
            for line, text, is_malformed, *values in zip(
                *(
                    column.to_pylist()
                    for column in (found.lines, found.texts, found.malformed, *found.columns)
                ),
                strict=True,
            )
        ]


def test_a_row_is_the_texts_that_its_values_are() -> None:
    first = {
        "id": " Zoë \"q\"\n", "n": 1, "big": -(2**40), "worth": Decimal("1.50"), "ok": True,
        "on": date(2026, 11, 1), "at": TIME,
    }  # fmt: skip
    schema = pa.schema(
        [
            ("at", pa.timestamp("us", "UTC")), ("on", pa.date32()), ("ok", pa.bool_()),
            ("worth", pa.decimal128(7, 2)), ("big", pa.int64()), ("n", pa.int16()),
            ("id", pa.dictionary(pa.int32(), pa.string())),
        ]
    )  # fmt: skip
    late = {"at": TIME.replace(microsecond=1), "worth": Decimal("0.00"), "ok": False}
    bad = [{"id": "x" * (MAX_LINE_BYTES + 1)}, {"id": "a\0b"}]
    table = pa.Table.from_pylist([first, {}, late, *bad], schema)

    one, nothing, fine, long, nul = rows(parquet(table, row_group_size=2), COLUMNS)

    assert one.values == (
        'Zoë "q"', "1", "-1099511627776", "1.50", "yes", "2026-11-01", "2026-11-01T10:00:05Z",
    )  # fmt: skip
    assert one.text == (
        '{"id": " Zoë \\"q\\"\\n", "n": 1, "big": -1099511627776, "worth": 1.50, "ok": "yes", '
        '"on": "2026-11-01", "at": "2026-11-01T10:00:05Z"}'
    )
    assert nothing.values == (None,) * 7
    assert fine.values is not None
    # What is finer than a second is no time of a contract: the rules reject it.
    assert fine.values[3:] == ("0.00", "no", None, "2026-11-01 10:00:05.000001")
    assert (long.values, len(long.text)) == (None, MAX_LINE_BYTES)
    assert nul.values is None
    assert [row.line for row in (one, nothing, fine, long, nul)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_what_arrow_notes_of_types_of_its_own_counts_for_nothing(kind: Any) -> None:
    storage = pa.array([" a", None], kind)
    noted = pa.ExtensionArray.from_storage(pa.opaque(kind, "kind", "vendor"), storage)
    assert [row.values for row in rows(parquet(pa.table({"id": noted})))] == [("a",), (None,)]


def test_a_small_file_of_long_texts_is_handed_over_a_little_at_a_time() -> None:
    """Its footer tells of one word, and of an unpacked size that is small."""
    word, many = "\x01" * 3_000, pa.array([0] * 5_000, pa.int32())
    said_often = pa.DictionaryArray.from_arrays(many, [word])
    with tempfile.TemporaryFile() as file:
        file.write(parquet(pa.table({"id": said_often})))
        batches = list(decoding_of(file, ID))

    assert sum(map(len, batches)) == 5_000
    assert max(batch.nbytes for batch in batches) <= PIECE_BYTES


def test_a_text_that_is_longer_than_any_line_is_cut_before_it_is_handed_over() -> None:
    body = parquet(pa.table({"id": ["é" * 4_000_000, "b"]}), compression="zstd")
    with tempfile.TemporaryFile() as file:
        file.write(body)
        assert sum(batch.nbytes for batch in decoding_of(file, ID)) < 4 * MAX_LINE_BYTES

    long, other = rows(body)
    assert (long.values, len(long.text.encode())) == (None, MAX_LINE_BYTES)
    assert long.text == '{"id": "' + "é" * ((MAX_LINE_BYTES - 8) // 2)
    assert other.values == ("b",)


def test_a_file_without_rows_has_none() -> None:
    assert rows(parquet(pa.table({"id": pa.array([], pa.string())}))) == []


BROKEN: dict[str, tuple[bytes, str]] = {
    "no parquet": (b"id,n\na,1\n", "file.not_parquet"),
    "cut": (HONEST[:-1], "file.not_parquet"),
    "a footer beyond the file": (
        HONEST[:-8] + (10**6).to_bytes(4, "little") + b"PAR1",
        "file.not_parquet: a footer of 1000000 bytes",
    ),
    "a footer that ends early": (with_footer(HONEST, lambda f: f[:-20]), "file.not_parquet"),
    "a footer of nothing": (with_footer(HONEST, lambda f: bytes(len(f))), "file.not_parquet"),
    "more rows than any": (counting(HONEST, 100, 10**15), "file.too_large: row group 0 has"),
    "more rows than there are": (counting(HONEST, 100, 101), "file.not_parquet: 100 rows, where"),
    "pages of something else": (
        HONEST[:4] + bytes(len(HONEST[4:60])) + HONEST[60:],
        "file.not_parquet",
    ),
    "values that burst": (
        parquet(pa.table({"id": ["0" * 60_000] * 600}), compression="zstd", use_dictionary=False),
        "file.too_large: it unpacks to more than 16777216 bytes",
    ),
    "a word that is said again and again": (
        parquet(
            pa.table({"id": pa.DictionaryArray.from_arrays(pa.array([0] * 5000), ["0" * 10**6])})
        ),
        "file.too_large: decoding it takes more than 536870912 bytes of memory",
    ),
    "rows of nothing": (
        parquet(pa.table({"id": pa.nulls(3_000_000, pa.string())})),
        "file.too_large: it unpacks to more than 16777216 bytes",
    ),
    "texts that are none": (
        parquet(pa.table({"id": ["abcdefgh"]}), use_dictionary=False, compression="none").replace(
            b"abcdefgh", b"abc\xff\xfe\xfd\xfc\xfb"
        ),
        "file.not_parquet",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_cannot_be_read_is_broken_before_a_row_of_it_is_used(what: str) -> None:
    body, reason = BROKEN[what]
    with pytest.raises(BrokenFileError) as broken:
        rows(body)
    assert str(broken.value).startswith(reason)


def test_a_page_that_claims_two_gigabytes_takes_no_more_memory_than_there_is() -> None:
    with pytest.raises(BrokenFileError, match=r"file\.too_large: decoding it takes more than"):
        rows(swollen())


def test_a_reader_that_dies_breaks_the_file_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr("custody.spark.silver.parquet.reading._PROGRAM", dies)
    with pytest.raises(BrokenFileError, match=r"file\.not_parquet: its reader was ended by signal"):
        rows(HONEST)


def test_a_reader_that_cannot_begin_is_nobodys_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "custody.spark.silver.parquet.reading._PROGRAM", "raise SystemExit('no reader')"
    )
    with pytest.raises(RuntimeError, match="no reader"):
        rows(HONEST)


def test_who_decodes_has_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the job")
    tells = "import json, os; print(json.dumps({'code': 'x', 'detail': ' '.join(os.environ)}))"
    monkeypatch.setattr("custody.spark.silver.parquet.reading._PROGRAM", tells)
    with pytest.raises(BrokenFileError) as broken:
        rows(HONEST)
    assert "AWS" not in broken.value.detail


def schema_of(**columns: Any) -> Any:
    body = parquet(pa.table({name: pa.array([], kind) for name, kind in columns.items()}))
    return decoding.pq.ParquetFile(pa.BufferReader(body)).schema


FITS = [
    ("string", pa.string()), ("string", pa.large_string()),
    ("int", pa.int8()), ("int", pa.int32()), ("int", pa.uint16()),
    ("bigint", pa.int32()), ("bigint", pa.int64()), ("bigint", pa.uint32()),
    ("decimal(9,2)", pa.decimal128(9, 2)), ("decimal(9,2)", pa.decimal128(30, 1)),
    ("boolean", pa.bool_()), ("date", pa.date32()),
    ("timestamp", pa.timestamp("ms", "UTC")), ("timestamp", pa.timestamp("ns", "Europe/Berlin")),
]  # fmt: skip
FITS_NOT = [
    ("string", pa.binary()), ("string", pa.int32()),
    ("int", pa.int64()), ("int", pa.uint32()), ("int", pa.float64()), ("int", pa.time32("ms")),
    ("bigint", pa.uint64()), ("bigint", pa.float32()), ("bigint", pa.date32()),
    ("decimal(9,2)", pa.float64()), ("decimal(9,2)", pa.decimal128(9, 3)),
    ("decimal(9,2)", pa.int32()), ("boolean", pa.int8()), ("date", pa.int32()),
    ("date", pa.timestamp("ms", "UTC")), ("timestamp", pa.timestamp("ms")),
    ("timestamp", pa.int64()), ("string", pa.list_(pa.string())),
    ("string", pa.struct([("id", pa.string())])), ("string", pa.map_(pa.string(), pa.string())),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "kind"), FITS, ids=str)
def test_what_can_be_read_without_rounding_is_of_the_type(wanted: str, kind: Any) -> None:
    check_schema(schema_of(id=kind), {"id": wanted})


@pytest.mark.parametrize(("wanted", "kind"), FITS_NOT, ids=str)
def test_what_is_of_another_type_is_refused_by_its_column(wanted: str, kind: Any) -> None:
    with pytest.raises(Refused, match=r"file\.schema.*\bid\b"):
        check_schema(schema_of(id=kind), {"id": wanted})


def test_the_columns_are_those_of_the_contract_in_any_order() -> None:
    wanted = {"id": "string", "n": "int"}
    check_schema(schema_of(n=pa.int32(), id=pa.string()), wanted)
    with pytest.raises(Refused, match="n is missing; it has id"):
        check_schema(schema_of(id=pa.string()), wanted)
    many = {f"c{number}": pa.int32() for number in range(1000)}
    with pytest.raises(Refused, match="'c0' is no column of the contract"):
        check_schema(schema_of(id=pa.string(), n=pa.int32(), **many), wanted)
