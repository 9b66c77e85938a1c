"""Rows from Python into DuckDB: JSON lines in a file, read with the columns' exact types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from localaws.athena.session import Session
from localaws.athena.types import Type, duckdb_name, quoted

# The longest row: one JSON document of an object.
_ROW_LIMIT_BYTES = 128 * 1024 * 1024


class RowFile:
    """A file of rows for one DuckDB table; `columns` are the table's names and types.

    A context manager: the file is gone when the context ends.
    """

    def __init__(self, path: Path, columns: Sequence[tuple[str, Type]]) -> None:
        self._path = path
        self._columns = columns
        self._file: TextIO = path.open("w", encoding="utf-8", errors="surrogatepass")
        self._rows = 0

    def __enter__(self) -> RowFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink()

    def add(self, values: Mapping[str, Any]) -> None:
        """One row: JSON-able values that fit the columns' types; what is missing is NULL."""
        row = {str(place): values.get(name) for place, (name, _) in enumerate(self._columns)}
        self._file.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")
        self._rows += 1

    def load(self, session: Session, table: str) -> None:
        """Append the rows to `table`; none can be added afterwards."""
        self._file.close()
        if self._rows:
            columns = ", ".join(
                f"'{place}': '{duckdb_name(kind).replace(chr(39), chr(39) * 2)}'"
                for place, (_, kind) in enumerate(self._columns)
            )
            names = ", ".join(quoted(name) for name, _ in self._columns)
            path = str(self._path).replace("'", "''")
            session.run(
                f"INSERT INTO {table} ({names}) SELECT * FROM read_json('{path}', "
                f"format = 'newline_delimited', columns = {{{columns}}}, "
                f"maximum_object_size = {_ROW_LIMIT_BYTES}, compression = 'uncompressed')"
            )


def create_table(session: Session, table: str, columns: Iterable[tuple[str, Type]]) -> None:
    """An empty DuckDB table with these columns."""
    declared = ", ".join(f"{quoted(name)} {duckdb_name(kind)}" for name, kind in columns)
    session.run(f"CREATE TABLE {table} ({declared})")
