"""Preparing a query and running it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from sqlglot import exp

from localaws.athena.expression import Expr
from localaws.athena.query import Translation, translate
from localaws.athena.queryparts import Scan
from localaws.athena.relations import Relations, Table
from localaws.athena.session import Session, translated
from localaws.athena.sql import text
from localaws.athena.types import Type, timestamp_tz

_BATCH = 2048


def now_expression(now: datetime) -> Expr:
    """``current_timestamp``: `now` (naive, in UTC) to the millisecond."""
    shown = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return Expr(text(f"CAST('{shown}' AS TIMESTAMP)"), timestamp_tz(3))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A translated query: `sources` are the DuckDB tables to fill before it is run."""

    tree: exp.Expr
    translation: Translation

    @classmethod
    def of(
        cls,
        statement: str,
        tree: exp.Expr,
        relations: Relations,
        database: str | None,
        now: datetime,
    ) -> Prepared:
        """Translate; raises QueryError."""
        return cls(tree, translate(statement, tree, relations, database, now_expression(now)))

    @property
    def columns(self) -> tuple[tuple[str, Type], ...]:
        """Names and types of the result."""
        return self.translation.columns

    @property
    def sources(self) -> Mapping[str, Table]:
        """Which catalog table each DuckDB table stands for."""
        return {scan.source: scan.table for scan in self.translation.scans}

    def scans_of(self, source: str) -> list[Scan]:
        """Every use of one DuckDB table."""
        return [scan for scan in self.translation.scans if scan.source == source]


def run(session: Session, prepared: Prepared) -> Iterator[tuple[Any, ...]]:
    """The rows, in the order the statement asks for; raises QueryError."""
    cursor = session.run(prepared.translation.sql)
    while True:
        try:
            batch = cursor.fetchmany(_BATCH)
        except duckdb.Error as error:
            raise translated(error) from error
        session.check_refused()
        if not batch:
            return
        yield from batch
