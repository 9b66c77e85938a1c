"""Evaluating Trino without a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from tests.support.golden import run_golden

from localaws.athena.errors import QueryError

NOW = datetime(2026, 11, 23, 12, 34, 56, 789_123)  # noqa: DTZ001  naive is UTC here

Rows = list[tuple[Any, ...]]
Run = Callable[..., Rows]


@pytest.fixture(scope="session")
def run() -> Run:
    """The rows of a statement over the given tables, as tuples."""

    def rows(
        sql: str,
        tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        schemas: Mapping[str, Mapping[str, str]] | None = None,
        views: Mapping[str, str] | None = None,
    ) -> Rows:
        found = run_golden(sql, tables or {}, schemas or {}, NOW, views)
        return [tuple(row.values()) for row in found]

    return rows


@pytest.fixture(scope="session")
def value(run: Run) -> Callable[[str], Any]:
    """The value of one expression."""
    return lambda expression: run(f"SELECT {expression}")[0][0]


@pytest.fixture(scope="session")
def failure(run: Run) -> Callable[..., str]:
    """Athena's message for a statement that must fail."""

    def message(sql: str, *arguments: Any) -> str:
        with pytest.raises(QueryError) as caught:
            run(sql, *arguments)
        return str(caught.value)

    return message
