"""One DuckDB database per query: no files but its own folders, no network, settings locked."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from localaws.athena.errors import Cancelled, QueryError, internal_error, not_supported
from localaws.athena.sql import functions, types
from localaws.athena.sql.types import Type, duckdb_name, quoted, text

_MARK = "athena: "
"""Stands before our own messages among DuckDB's: see `macros.sql`."""
_BATCH = 2048
_ROW_LIMIT_BYTES = 128 * 1024 * 1024
"""The longest row: one JSON document of an object."""
_ROW = ("#", types.BOOLEAN)
"""A column that every table has, so that rows can be counted of which nothing is looked at."""


class Stop(threading.Event):
    """Ends a query: its reading, and what its session is doing."""

    session: Session | None = None

    def set(self) -> None:
        """Stop the query."""
        super().set()
        if self.session is not None:
            with contextlib.suppress(duckdb.Error):
                self.session.interrupt()


class Session:
    """A DuckDB connection that only sees `folder`."""

    def __init__(self, folder: Path, stop: Stop | None = None) -> None:
        """`stop` interrupts what the session is doing."""
        self._folder = folder
        self._connection = duckdb.connect(":memory:")
        self._known: set[str] = set()
        for setting in (
            "memory_limit = '2GB'",
            "threads = 2",
            # Athena's session zone, and what our own functions assume.
            "TimeZone = 'UTC'",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            # They evaluate expressions early, so that an error is raised in a branch of a CASE that
            # is never taken.
            "disabled_optimizers = 'expression_rewriter,common_subexpressions'",
            f"temp_directory = {text(str(folder / 'spill'))}",
            f"allowed_directories = [{text(f'{folder}/')}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")
        if stop is not None:
            stop.session = self
            if stop.is_set():
                raise Cancelled

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def run(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Execute one DuckDB statement; raises QueryError in Athena's words."""
        missing = functions.macros_of(sql) - self._known
        try:
            for name, definition in functions.MACROS.items():
                if name in missing:
                    self._connection.execute(f"CREATE MACRO {definition}")
            self._known |= missing
            cursor = self._connection.execute(sql)
        except duckdb.Error as error:
            raise translated(error) from error
        return cursor

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a DuckDB query."""
        return list(self.stream(sql))

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a DuckDB query, a batch at a time."""
        cursor = self.run(sql)
        while True:
            try:
                batch = cursor.fetchmany(_BATCH)
            except duckdb.Error as error:
                raise translated(error) from error
            if not batch:
                return
            yield from batch

    def create(self, table: str, columns: Sequence[tuple[str, Type]]) -> None:
        """An empty table, which has a column even if none is asked for."""
        declared = [f"{quoted(name)} {duckdb_name(kind)}" for name, kind in (*columns, _ROW)]
        self.run(f"CREATE TABLE {table} ({', '.join(declared)})")

    def load(
        self, table: str, columns: Sequence[tuple[str, Type]], rows: Iterator[Mapping[str, Any]]
    ) -> None:
        """Append rows of JSON-able values that fit the columns; what is missing is NULL."""
        path = self._folder / f"{table}.json"
        names = [name for name, _ in (*columns, _ROW)]
        try:
            with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
                for row in rows:
                    values = {str(place): row.get(name) for place, name in enumerate(names)}
                    file.write(json.dumps(values, separators=(",", ":")) + "\n")
            if path.stat().st_size:
                kinds = [text(duckdb_name(kind)) for _, kind in (*columns, _ROW)]
                declared = ", ".join(f"'{place}': {kind}" for place, kind in enumerate(kinds))
                self.run(
                    f"INSERT INTO {table} ({', '.join(map(quoted, names))}) "
                    f"SELECT * FROM read_json({text(str(path))}, format = 'newline_delimited', "
                    f"columns = {{{declared}}}, maximum_object_size = {_ROW_LIMIT_BYTES}, "
                    "compression = 'uncompressed')"
                )
        finally:
            path.unlink(missing_ok=True)

    def interrupt(self) -> None:
        """Make the running statement fail; callable from another thread."""
        self._connection.interrupt()


_ROWS = "Scalar sub-query has returned multiple rows"
_CAST = "Cannot cast between these types"
_GROUPED = "what is selected or sorted by must be an aggregate or appear in GROUP BY clause"


def translated(error: duckdb.Error) -> QueryError:
    """DuckDB's error in Athena's words."""
    message = str(error)
    _, ours, explained = message.partition(_MARK)
    if ours:
        code, _, explanation = explained.splitlines()[0].partition(": ")
        return QueryError(code, explanation)
    first = message.splitlines()[0]
    if isinstance(error, duckdb.NotImplementedException):
        return not_supported(f"this statement ({first.partition(': ')[2]})")
    for kind, pattern, code, fixed in _KNOWN:
        if isinstance(error, kind) and re.search(pattern, message):
            return QueryError(code, fixed or first.partition(": ")[2])
    return internal_error(f"the query engine failed: {first}")


# DuckDB's errors by class and text, and Trino's name and words for them; the first match counts.
_KNOWN: tuple[tuple[type[duckdb.Error], str, str, str | None], ...] = (
    (duckdb.Error, "blob to UTF8", "NOT_SUPPORTED", "from_utf8 of what is not UTF-8"),
    (duckdb.Error, "Division by zero", "DIVISION_BY_ZERO", "Division by zero"),
    (duckdb.Error, "Unimplemented type for cast", "TYPE_MISMATCH", _CAST),
    (duckdb.OutOfRangeException, "", "NUMERIC_VALUE_OUT_OF_RANGE", None),
    (duckdb.Error, "out of range", "NUMERIC_VALUE_OUT_OF_RANGE", None),
    (duckdb.Error, "More than one row returned", "SUBQUERY_MULTIPLE_ROWS", _ROWS),
    (duckdb.BinderException, "in (the )?GROUP BY", "EXPRESSION_NOT_AGGREGATE", _GROUPED),
    (duckdb.BinderException, "cannot be nested", "NESTED_AGGREGATION", None),
    (duckdb.BinderException, "cannot contain (aggregates|window)", "EXPRESSION_NOT_SCALAR", None),
    (duckdb.BinderException, "Window functions are not", "MISSING_OVER", None),
    (duckdb.BinderException, "No function matches|does not support", "FUNCTION_NOT_FOUND", None),
    (duckdb.CatalogException, "Function with name", "FUNCTION_NOT_FOUND", None),
    (duckdb.BinderException, "", "TYPE_MISMATCH", None),
    (duckdb.ConversionException, "", "INVALID_CAST_ARGUMENT", None),
    (duckdb.InvalidInputException, "", "INVALID_FUNCTION_ARGUMENT", None),
)
