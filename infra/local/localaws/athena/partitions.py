"""Which partitions of a table a query reads, and where they lie."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from localaws.athena import times, types
from localaws.athena.catalog import Catalog
from localaws.athena.errors import QueryError, not_supported
from localaws.athena.projection import Projection
from localaws.athena.pruning import AllOf, Leaf, Predicate, TablePlan, conjuncts, implied
from localaws.athena.relations import Column, Storage, Table
from localaws.athena.rowfiles import RowFile, create_table
from localaws.athena.session import Session
from localaws.athena.sql import Sql, compose, join

# What Hive writes into a path for NULL.
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_MAX_PARTITIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a table to be read; `values` fit the types of the partition columns."""

    values: Mapping[str, Any]
    storage: Storage


class PartitionFinder:
    """Finds the partitions that may hold rows a query needs."""

    def __init__(self, session: Session, catalog: Catalog, now: datetime, folder: Path) -> None:
        """`folder` takes passing files; `now` is naive, in UTC."""
        self._session = session
        self._catalog = catalog
        self._now = now
        self._folder = folder

    def find(self, table: Table, uses: Sequence[TablePlan]) -> list[Partition]:
        """The partitions any use of the table needs; raises QueryError."""
        wanted = [(plan.alias, predicates) for plan in uses for predicates in plan.uses]
        if not wanted:
            return []
        if not table.partition_keys:
            return [Partition({}, table.storage)]
        projection = Projection.of(table, self._now)
        if projection is None:
            return self._registered(table, wanted)
        return self._projected(projection, wanted)

    def _registered(
        self, table: Table, wanted: Sequence[tuple[str, list[Predicate]]]
    ) -> list[Partition]:
        found = self._catalog.partitions(table)
        texts = [partition.values for partition in found]
        kept = self._needed(table.partition_keys, texts, wanted)
        return [
            Partition(_typed(table, found[index].values), found[index].storage) for index in kept
        ]

    def _projected(
        self, projection: Projection, wanted: Sequence[tuple[str, list[Predicate]]]
    ) -> list[Partition]:
        table = projection.table
        domains: list[Sequence[str]] = []
        for key in table.partition_keys:
            if projection.is_injected(key.name):
                values: Sequence[str] = sorted(_injected(table, key.name, wanted))
            else:
                values = projection.values(key.name)
            kept = self._needed((key,), [(value,) for value in values], wanted)
            domains.append([values[index] for index in kept])
        total = 1
        for domain in domains:
            total *= len(domain)
        if total > _MAX_PARTITIONS:
            raise not_supported(f"a query over {total} projected partitions")
        texts = list(itertools.product(*domains))
        names = [key.name for key in table.partition_keys]
        return [
            Partition(
                _typed(table, texts[index]),
                Storage(
                    projection.location(dict(zip(names, texts[index], strict=True))),
                    table.storage.serde,
                    table.storage.input_format,
                    table.storage.serde_parameters,
                ),
            )
            for index in self._needed(table.partition_keys, texts, wanted)
        ]

    def _needed(
        self,
        keys: Sequence[Column],
        texts: Sequence[tuple[str, ...]],
        wanted: Iterable[tuple[str, list[Predicate]]],
    ) -> list[int]:
        """Indices of the value tuples for which some use's predicates may all be true.

        Predicates that speak of other columns than `keys` are left out.
        """
        names = {key.name for key in keys}
        conditions = []
        for alias, predicates in wanted:
            about = [
                part
                for part in (
                    implied(
                        predicate,
                        lambda leaf: (
                            leaf if all(ref.column in names for ref in leaf.sql.refs()) else None
                        ),
                    )
                    for predicate in predicates
                )
                if part is not None
            ]
            if not about:
                return list(range(len(texts)))
            conditions.append((alias, about))
        columns = [("#", types.BIGINT), *((key.name, key.type) for key in keys)]
        create_table(self._session, "candidates", columns)
        try:
            with RowFile(self._folder / "candidates.json", columns) as file:
                for index, values in enumerate(texts):
                    file.add({"#": index, **_typed_values(keys, values)})
                file.load(self._session, "candidates")
            found: set[int] = set()
            for alias, about in conditions:
                tests = join(" AND ", (_test(part) for part in about))
                sql = compose(f'SELECT {alias}."#" FROM candidates AS {alias} WHERE {{}}', tests)
                found.update(row[0] for row in self._session.rows(str(sql)))
        finally:
            self._session.run("DROP TABLE candidates")
        return sorted(found)


def _test(predicate: Predicate) -> Sql:
    """Whether a predicate is true, or cannot be known to be false."""
    if isinstance(predicate, Leaf):
        return compose("coalesce(TRY(coalesce({}, FALSE)), TRUE)", predicate.sql)
    word = " AND " if isinstance(predicate, AllOf) else " OR "
    return compose("({})", join(word, (_test(part) for part in predicate.parts)))


def _injected(
    table: Table, column: str, wanted: Iterable[tuple[str, list[Predicate]]]
) -> frozenset[str]:
    """The values every use demands of an injected column."""
    found: set[str] = set()
    for _, predicates in wanted:
        demands = [
            values
            for leaf in conjuncts(predicates)
            if leaf.values is not None and leaf.values[0].column == column
            for values in [leaf.values[1]]
        ]
        if not demands:
            raise QueryError(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {column}, the WHERE clause must "
                "contain only static equality conditions, and at least one such condition must be "
                f"present. (table {table.database}.{table.name})",
            )
        found |= frozenset.intersection(*demands)
    return frozenset(found)


def _typed(table: Table, texts: Sequence[str]) -> dict[str, Any]:
    return _typed_values(table.partition_keys, texts)


def _typed_values(keys: Sequence[Column], texts: Sequence[str]) -> dict[str, Any]:
    if len(keys) != len(texts):
        raise QueryError(
            "HIVE_INVALID_PARTITION_VALUE",
            f"a partition has {len(texts)} values for {len(keys)} columns",
        )
    return {key.name: _typed_value(key, text) for key, text in zip(keys, texts, strict=True)}


def _typed_value(key: Column, text: str) -> Any:
    """A partition value, checked; what JSON has no type for stays text."""
    if text == _HIVE_NULL:
        return None
    try:
        if types.is_integer(key.type):
            return int(text)
        if key.type == types.DATE:
            return str(times.parse_date(text))
        if key.type.base == "timestamp":
            return str(times.parse_timestamp(text))
    except ValueError as error:
        raise QueryError(
            "HIVE_INVALID_PARTITION_VALUE",
            f"Invalid partition value '{text}' for {key.type} partition key: {key.name}",
        ) from error
    if key.type == types.VARCHAR:
        return text
    raise not_supported(f"the partition column {key.name} of type {key.type}")
