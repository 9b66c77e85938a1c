"""Files of Parquet in tests: honest ones, and those that lie about themselves."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(table: Any, **options: Any) -> bytes:
    """The file that is written of a table."""
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def zigzag(number: int) -> bytes:
    """A number as Thrift's compact protocol has it."""
    left, made = number << 1, bytearray()
    while left > 0x7F:
        made.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*made, left])


def with_footer(body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The file with another footer: what `change` makes of its bytes."""
    size = int.from_bytes(body[-8:-4], "little")
    footer: bytes = change(body[-8 - size : -8])
    return body[: -8 - size] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def counting(body: bytes, rows: int, said: int) -> bytes:
    """The file of so many `rows` whose footer says another number, wherever it says it."""
    was, now = b"\x16" + zigzag(rows), b"\x16" + zigzag(said)

    def change(footer: bytes) -> bytes:
        assert was in footer
        return footer.replace(was, now)

    return with_footer(body, change)


def swollen(letters: int = 140_000_000) -> bytes:
    """A small file with a page that says to unpack to 2 GiB, and is of so many letters."""
    column = pa.array(["0" * letters])
    body = parquet(pa.table({"id": column}), compression="zstd", use_dictionary=False)
    # The page's header: its kind, and its size unpacked, of five bytes as of more than 2**27.
    at = body.index(b"\x15\x00\x15", 0, 100) + 3
    return body[:at] + zigzag(2**31 - 1) + body[at + 5 :]
