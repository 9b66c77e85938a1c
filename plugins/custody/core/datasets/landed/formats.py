"""The format of a dataset's landed files, as its contract says: `servers` of ODCS.

The contract decides, and not a file's name: a name only tells whether a file is packed, where the
contract allows that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from custody.core.datasets.arrays import Array
from custody.core.datasets.columns import Column
from custody.core.datasets.contract_fields import (
    ContractError,
    Place,
    custom_properties,
    items,
    only,
)
from custody.core.datasets.landed import csv_lines, json_lines
from custody.core.datasets.landed.text import BrokenFileError, LandedRow

_OF_SERVER: Final = frozenset(
    {
        *("customProperties", "delimiter", "description", "encoding", "format", "location"),
        *("server", "type"),
    }
)

_CUSTOM: Final[Mapping[str, tuple[str, ...]]] = {
    "csv": ("compression", "csvDelimiter"),
    "json": ("compression",),
    "parquet": (),  # it packs its own pages
}
"""The formats, and what their server says in words of our own."""

DELIMITERS: Final = {",": "commas", ";": "semicolons", "|": "bars", "\t": "tabs"}
"""What may stand between the fields of CSV, and its name."""


@dataclass(frozen=True, slots=True)
class LandedFormat:
    """How landed files are written: `name` is csv, json (one row a line) or parquet; `gzip`: they
    may be packed; `delimiter` stands between the fields of CSV.
    """

    name: str = "csv"
    gzip: bool = False
    delimiter: str = ","

    @property
    def has_header(self) -> bool:
        return self.name == "csv"

    @property
    def has_lines(self) -> bool:
        """Whether a file is text, of which a line is a row."""
        return self.name != "parquet"

    @property
    def has_kinds(self) -> bool:
        """Whether a text, a number and a truth differ before anybody looks at their columns."""
        return self.name == "json"

    @property
    def has_arrays(self) -> bool:
        return self.name == "json"

    @property
    def in_words(self) -> str:
        if self.name == "parquet":
            return "Parquet"
        packed = ", or these packed with gzip (`.gz`)" if self.gzip else ""
        if self.name == "json":
            return f"JSON lines{packed}"
        return f"CSV with a header, by {DELIMITERS[self.delimiter]}{packed}"

    @property
    def not_text(self) -> str:
        """The reason of a file that is no text."""
        return f"file.not_{self.name}"

    def is_packed(self, key: str) -> bool:
        """Whether the file of this key is gzip, which its bytes must be, too.

        Raises BrokenFileError `file.packed` if it says so, and the contract allows none.
        """
        packed = says_packed(key)
        if packed and not self.gzip:
            raise BrokenFileError("file.packed", "the contract allows no gzip")
        return packed

    def read_rows(
        self,
        file: BinaryIO,
        columns: Sequence[Column],
        arrays: Sequence[Array] = (),
        *,
        before: int,
    ) -> Iterator[LandedRow]:
        """The rows of a file of lines; `before` it stand so many lines (the header is one).

        Raises BrokenFileError before the first row if it has not the contract's header.
        """
        if self.name == "json":
            return json_lines.read_rows(file, columns, arrays, before=before)
        header = [column.name for column in columns]
        return csv_lines.read_rows(file, header, before=before, delimiter=self.delimiter)


CSV: Final = LandedFormat()


def says_packed(key: str) -> bool:
    """Whether a key says that its file is packed."""
    return key.lower().endswith(".gz")


def read_format(servers: object, place: Place) -> LandedFormat:
    """What the contract's one server says of the files that land there; CSV where none is named.

    Raises ContractError for what nobody reads.
    """
    found = list(items(servers, place))
    if len(found) > 1:
        raise ContractError(place, "expected one server, where the files land")
    return _of_server(*found[0]) if found else CSV


def _of_server(server: Mapping[str, Any], at: Place) -> LandedFormat:
    only(server, _OF_SERVER, at)
    if server.get("type") != "s3":
        raise ContractError(at / "type", "files land in S3: expected s3")
    if server.get("encoding", "UTF-8") != "UTF-8":
        raise ContractError(at / "encoding", "expected UTF-8")
    name = server.get("format", "csv")
    if not isinstance(name, str) or name not in _CUSTOM:
        raise ContractError(at / "format", f"expected one of {', '.join(_CUSTOM)}")
    if name == "json" and server.get("delimiter") != "new_line":
        raise ContractError(at / "delimiter", "expected new_line: one row is one line")
    if name != "json" and "delimiter" in server:
        raise ContractError(at / "delimiter", "is of format json only")
    custom = custom_properties(server, _CUSTOM[name], at)
    compression, where = custom.get("compression", (None, at))
    if compression not in (None, "gzip"):
        raise ContractError(where, "expected gzip")
    delimiter, where = custom.get("csvDelimiter", (",", at))
    if not isinstance(delimiter, str) or delimiter not in DELIMITERS:
        raise ContractError(where, f"expected one of {', '.join(map(repr, DELIMITERS))}")
    return LandedFormat(name, gzip=compression == "gzip", delimiter=delimiter)
