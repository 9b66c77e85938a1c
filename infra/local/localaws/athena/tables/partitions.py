"""Which partitions of a table a query reads, and where they lie."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.sql import types
from localaws.athena.sql.session import Session
from localaws.athena.tables.catalog import Catalog
from localaws.athena.tables.projection import Projection
from localaws.athena.tables.relations import Column, Storage, Table

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
"""What Hive writes into a path for NULL."""


Values = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a table to be read; `values` are text."""

    values: Values
    storage: Storage


Use = tuple[str, Sequence[exp.Expr]]
"""A place where a query names the table: the alias there, and what is demanded of partitions."""


def find_partitions(
    session: Session, catalog: Catalog, table: Table, uses: Sequence[Use], now: datetime
) -> list[Partition]:
    """The partitions any use of the table needs; raises QueryError. `now` is naive, in UTC."""
    keys = table.partition_keys
    if not keys or not uses:
        return [Partition({}, table.storage)] if uses else []
    projection = Projection.of(table, now)
    if projection is None:
        found = [(one.values, one.storage) for one in catalog.partitions(table)]
    else:
        domains = [projection.values(key.name) for key in keys]
        found = [
            (values, replace(table.storage, location=projection.location(values)))
            for values in itertools.product(*domains)
        ]
    typed = [_typed(keys, values) for values, _ in found]
    kept = needed(session, keys, typed, uses)
    return [Partition(typed[index], found[index][1]) for index in kept]


def needed(
    session: Session,
    keys: Sequence[Column],
    typed: Sequence[Values],
    uses: Sequence[Use],
) -> list[int]:
    """Indices of the values for which some use's conditions may all be true."""
    if not any(one.find(exp.Column) for _, conditions in uses for one in conditions):
        return list(range(len(typed))) if uses else []
    columns = [("index", types.BIGINT), *((key.name, key.type) for key in keys)]
    session.create("candidates", columns)
    try:
        session.load(
            "candidates", columns, ({"index": i, **values} for i, values in enumerate(typed))
        )
        found: set[int] = set()
        for alias, conditions in uses:
            # What is not true for a value drops its rows, but an error is the query's to raise.
            tests = [
                one.sql(dialect="duckdb", identify=True, normalize_functions=False)
                for one in conditions
            ]
            where = " AND ".join(f"({test})" for test in tests) or "TRUE"
            try:
                sql = f'SELECT "index" FROM candidates AS {types.quoted(alias)} WHERE {where}'
                found.update(row[0] for row in session.rows(sql))
            except QueryError:
                return list(range(len(typed)))
    finally:
        session.run("DROP TABLE candidates")
    return sorted(found)


def _typed(keys: Sequence[Column], texts: Sequence[str]) -> Values:
    """The values of a partition, which are text."""
    for key in keys:
        if key.type != types.VARCHAR:
            raise not_supported(f"the partition column {key.name} of type {key.type}")
    pairs = zip(keys, texts, strict=True)
    return {key.name: None if text == HIVE_NULL else text for key, text in pairs}
