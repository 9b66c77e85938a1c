"""Files that an uploader lands to break who reads them: `python -m tests.support.hostile FOLDER`.

Writes a folder for each dataset with a day of honest files and all hostile ones beside them, and
`expected.json`: what must become of each file that is hostile.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.support.customers import HEADER, csv, good
from tests.support.parquet import counting, parquet

import generate_customers
import generate_orders
import generate_sensors

MiB = 1024 * 1024

COMMAND = "=cmd|'/C calc'!A0"
Hostile = dict[str, tuple[bytes, str | list[tuple[int, str]]]]
"""Files, and why each is broken, or which of its rows are rejected for what (and no others)."""


def customers(_: bytes) -> Hostile:
    """CSV."""
    return {
        "a-nul.csv": (csv(good(1), good(2, first_name="a\0b")), "file.not_csv"),
        "mixed.csv": (csv(good(1)) + good(2).encode("latin-1") + b"\n", "file.not_csv"),
        "utf-16.csv": (csv(good(1)).decode().encode("utf-16"), "file.not_csv"),
        "bomb.csv.gz": (gzip.compress(csv(good(1)) + bytes(4 * MiB), 9), "file.packed"),
        "bomb.csv": (gzip.compress(csv(good(1)) + bytes(4 * MiB), 9), "file.not_csv"),
        "no-end.csv": (HEADER.encode() + b"x" * (MiB // 2), "file.header"),
        "wide.csv": (
            csv(good(1), good(2, first_name="x" * 10 * MiB), good(3)),
            [(3, "row.malformed")],
        ),
        "open.csv": (
            csv(good(1), good(2, first_name='"x'), *["," * 5000] * 3, good(3)),
            [(line, "row.malformed") for line in (3, 4, 5, 6)],
        ),
        "formula.csv": (
            csv(*(good(4, first_name=text) for text in (COMMAND, "@SUM(A1)", "+1", "-1", "\t=1"))),
            [(line, "first_name.formula") for line in range(2, 7)],
        ),
    }


def orders(_: bytes) -> Hostile:
    """JSON lines, packed or not."""
    blank = b" " * 1000 + b"\n"
    return {
        "nested.jsonl": (
            b"".join(
                line + b"\n"
                for line in (b"[" * 10**6, b'{"note":' * 10**6, b'{"note":' + b"[" * 60_000)
            ),
            [(line, "row.malformed") for line in (1, 2, 3)],
        ),
        "long.jsonl": (b'{"note": "' + b"x" * 10 * MiB + b'"}\n', [(1, "row.malformed")]),
        "a-nul.jsonl": (b'{"order_id": "O\0"}\n', "file.not_json"),
        "mixed.jsonl": ('{"note": "ü"}\n'.encode("latin-1"), "file.not_json"),
        "bomb.jsonl.gz": (gzip.compress(blank * 18_000, 9), "file.too_large"),
        "twice.jsonl.gz": (gzip.compress(b"{}\n") * 2, "file.not_gzip"),
        "cut.jsonl.gz": (gzip.compress(blank)[:-9], "file.not_gzip"),
        "packed.jsonl": (gzip.compress(b"{}\n"), "file.not_json"),
    }


def sensors(honest: bytes) -> Hostile:
    """Parquet."""
    table = pq.read_table(pa.BufferReader(honest))
    many = pa.concat_tables([table] * (300 // len(table)))
    burst = many.set_column(0, "sensor_id", pa.array(["0" * 60_000] * len(many)))
    return {
        "lying.parquet": (counting(honest, len(table), len(table) + 1), "file.not_parquet"),
        "endless.parquet": (counting(honest, len(table), 10**15), "file.too_large"),
        "bomb.parquet": (
            parquet(burst, compression="zstd", use_dictionary=False),
            "file.too_large",
        ),
        "cut.parquet": (honest[:-1], "file.not_parquet"),
        "text.parquet": (csv(good(1)), "file.not_parquet"),
        "other.parquet": (parquet(table.drop_columns(["is_door_open"])), "file.schema"),
    }


DATASETS: dict[str, Callable[[bytes], Hostile]] = {
    "customers": customers,
    "orders": orders,
    "sensors": sensors,
}
"""The hostile files of each, given a small honest one."""

_HONEST: dict[str, Callable[[Path], object]] = {
    "customers": lambda out: generate_customers.generate(out, generate_customers.Order(days=1)),
    "orders": lambda out: generate_orders.generate(out, generate_orders.Order()),
    "sensors": lambda out: generate_sensors.generate(
        out, generate_sensors.Order(rows=150_000, files=2)
    ),
}
"""What makes a day of each, large enough for what is broken beside it to be a small share."""


def small(folder: Path) -> bytes:
    """An honest file of sensors."""
    order = generate_sensors.Order(rows=20, files=1)
    generate_sensors.generate(folder, order)
    (file,) = folder.glob("dt=*/*")
    return file.read_bytes()


def main(out: Path) -> None:
    """Write the folders."""
    honest, told = small(out / "small"), {}
    for dataset, generate in _HONEST.items():
        generate(out / dataset)
        (day,) = (out / dataset).glob("dt=*")
        made = DATASETS[dataset](honest)
        for name, (body, _) in made.items():
            (day / name).write_bytes(body)
        told[dataset] = {name: expected for name, (_, expected) in made.items()}
    (out / "expected.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
