"""How much of a Parquet file is read, and which types of it a contract's column may have.

Both are what the file itself says of itself (its footer), and are looked at before anything of it
is decoded; what is not true of it fails when it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MAX_FOOTER_BYTES: Final = 16 * 1024**2
MAX_ROW_GROUPS: Final = 32_768
MAX_GROUP_ROWS: Final = 8 * 1024**2
MAX_GROUP_BYTES: Final = 1024**3
"""Of a row group, unpacked; writers make 128 MiB."""
MEMORY_BYTES: Final = 512 * 1024**2
"""What decoding may take, beside the reader itself."""
BATCH_ROWS: Final = 16_384
LONG_ROWS: Final = 2048
"""Rows decoded at once, and where they are long: of the longest lines, a quarter of the memory."""
LONG_ROW_BYTES: Final = 1024

PIECE_BYTES: Final = 4 * 1024**2
"""What is handed over at once, whatever the footer told: who takes it makes some copies of it."""

_INTEGERS: Final = {"int": 32, "bigint": 64}
"""Bits, with a sign."""


class Refused(Exception):
    """The file is broken; `code` and `detail` are those of BrokenFileError."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def check_ends(file: Any) -> None:
    """Refuse what does not begin and end as a Parquet file, or whose footer is out of bounds."""
    size = file.seek(0, 2)
    file.seek(0)
    begin = file.read(4)
    file.seek(max(0, size - 8))
    end = file.read(8)
    if begin != b"PAR1" or end[4:] != b"PAR1" or size < 12:
        raise Refused("file.not_parquet", "it does not begin and end with PAR1")
    footer = int.from_bytes(end[:4], "little")
    if footer > size - 12:
        raise Refused("file.not_parquet", f"a footer of {footer} bytes in a file of {size}")
    if footer > MAX_FOOTER_BYTES:
        raise Refused("file.too_large", f"a footer of {footer} bytes, of {MAX_FOOTER_BYTES}")
    file.seek(0)


def check_schema(schema: Any, wanted: Mapping[str, str]) -> None:
    """Refuse a Parquet schema whose columns are not those `wanted`: contract types by name."""
    names = [schema.column(index).path for index in range(len(schema))]
    told = ", ".join(sorted(names[:100]))
    if len(names) != len(set(names)):
        raise Refused("file.schema", f"a column appears twice: {told}")
    if missing := sorted(wanted.keys() - set(names)):
        raise Refused("file.schema", f"{', '.join(missing)} is missing; it has {told}")
    if unknown := sorted(set(names) - wanted.keys()):
        raise Refused("file.schema", f"{unknown[0]!r} is no column of the contract")
    for index, name in enumerate(names):
        column = schema.column(index)
        if column.max_repetition_level or column.max_definition_level > 1:
            raise Refused("file.schema", f"{name} is nested")
        if not _fits(column, wanted[name]):
            said = f"{column.physical_type} {column.logical_type}"
            raise Refused("file.schema", f"{name} is {said}, which is no {wanted[name]}")


def check_groups(metadata: Any) -> None:
    """Refuse row groups that are too many, too large, or not all of the rows."""
    if metadata.num_row_groups > MAX_ROW_GROUPS:
        raise Refused("file.too_large", f"{metadata.num_row_groups} row groups")
    rows = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        rows += group.num_rows
        if not 0 <= group.num_rows <= MAX_GROUP_ROWS:
            raise Refused("file.too_large", f"row group {number} has {group.num_rows} rows")
        if not 0 <= group.total_byte_size <= MAX_GROUP_BYTES:
            raise Refused("file.too_large", f"row group {number} has {group.total_byte_size} bytes")
    if rows != metadata.num_rows:
        raise Refused(
            "file.not_parquet", f"its row groups have {rows} rows, its footer {metadata.num_rows}"
        )


def batch_rows(metadata: Any) -> int:
    """How many rows to decode at once, as far as the footer tells how long they are."""
    size = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    return BATCH_ROWS if size <= LONG_ROW_BYTES * metadata.num_rows else LONG_ROWS


def _fits(column: Any, wanted: str) -> bool:
    """Whether every value of a column can be read as one of a contract's type without rounding."""
    physical, logical = str(column.physical_type), column.logical_type
    kind = str(logical.type)
    base = wanted.partition("(")[0]
    match base:
        case "string":
            return physical == "BYTE_ARRAY" and kind == "STRING"
        case "boolean":
            return physical == "BOOLEAN"
        case "date":
            return physical == "INT32" and kind == "DATE"
        case "timestamp":
            return physical == "INT64" and kind == "TIMESTAMP" and _in_utc(logical)
        case "int" | "bigint":
            return _integer(physical, kind, logical, _INTEGERS[base])
        case _:
            return kind == "DECIMAL" and _number(logical, "scale") <= _scale_of(wanted)


def _in_utc(logical: Any) -> bool:
    return "isAdjustedToUTC=true" in str(logical)


def _number(logical: Any, name: str) -> int:
    """A parameter of a logical type, which has them in its text alone."""
    return int(str(logical).partition(f"{name}=")[2].partition(",")[0].rstrip(")"))


def _scale_of(wanted: str) -> int:
    return int(wanted.rpartition(",")[2].rstrip(")"))


def _integer(physical: str, kind: str, logical: Any, bits: int) -> bool:
    if kind == "NONE":
        return physical == "INT32" or (physical == "INT64" and bits == 64)
    if kind != "INT":
        return False
    said = str(logical)
    width = _number(logical, "bitWidth")
    signed = "isSigned=true" in said
    return width <= bits if signed else width < bits
