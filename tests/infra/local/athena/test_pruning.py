"""Which partitions a query reads: no more than it needs where that is plain, never fewer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from tests.support.golden import query_of

from localaws.athena.errors import QueryError
from localaws.athena.sql.pruning import conditions
from localaws.athena.sql.queries import translate
from localaws.athena.sql.session import Session
from localaws.athena.sql.types import parse_hive
from localaws.athena.tables.catalog import CatalogPartition
from localaws.athena.tables.partitions import find_partitions
from localaws.athena.tables.relations import Column, Storage, Table, View

NOW = datetime(2026, 1, 5, 12)  # noqa: DTZ001
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
HOURS = ("00", "12")


def columns(**kinds: str) -> tuple[Column, ...]:
    return tuple(Column(name, parse_hive(hive)) for name, hive in kinds.items())


@dataclass
class Catalog:
    """Tables whose partitions are every combination of a few values."""

    views: dict[str, View] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    def find(self, database: str | None, name: str) -> Table | View | None:
        if name in self.views:
            return self.views[name]
        keys = columns(dt="string", hour="string") if name == "hourly" else columns(dt="string")
        return Table(
            "db",
            name,
            columns(id="int", note="string"),
            () if name == "plain" else keys,
            Storage(f"s3://b/{name}"),
            self.parameters if name == "projected" else {},
        )

    def partitions(self, table: Table) -> list[CatalogPartition]:
        values = [DAYS] if len(table.partition_keys) == 1 else [DAYS, HOURS]
        return [
            CatalogPartition(combination, Storage(f"s3://b/{'/'.join(combination)}"))
            for combination in itertools.product(*values)
        ]


Reads = Callable[..., dict[str, list[str]]]


@pytest.fixture
def reads(tmp_path: Path) -> Reads:
    """The partitions each table of a query is read from, by table."""

    def find(sql: str, catalog: Catalog | None = None) -> dict[str, list[str]]:
        known = catalog or Catalog()
        found = translate(sql, query_of(sql), known, "db", NOW)
        keys = {
            source: frozenset(key.name for key in table.partition_keys)
            for source, table in found.tables.items()
        }
        uses = conditions(found.tree, keys)
        with Session(tmp_path) as session:
            return {
                table.name: [
                    "/".join(str(value) for value in partition.values.values())
                    for partition in find_partitions(
                        session,
                        known,  # type: ignore[arg-type]
                        table,
                        uses[source],
                        NOW,
                    )
                ]
                for source, table in found.tables.items()
            }

    return find


ALL = list(DAYS)
FIRST, SECOND, THIRD = ([day] for day in DAYS)

DAILY: dict[str, list[str]] = {
    "SELECT * FROM daily": ALL,
    "SELECT 1 FROM daily WHERE dt = '2026-01-01'": FIRST,
    "SELECT 1 FROM daily WHERE dt > '2026-01-01' AND id = 1": ALL[1:],
    "SELECT 1 FROM daily WHERE dt BETWEEN '2026-01-02' AND '2026-01-09'": ALL[1:],
    "SELECT 1 FROM daily WHERE dt IN ('2026-01-01', 'x') OR dt LIKE '%03'": [ALL[0], ALL[2]],
    "SELECT 1 FROM daily WHERE date_parse(dt, '%Y-%m-%d') > TIMESTAMP '2026-01-02 12:00:00'": THIRD,
    "SELECT 1 FROM daily WHERE CAST(dt AS date) = DATE '2026-01-02'": SECOND,
    # an error is the query's to raise, not the pruning's to hide
    "SELECT 1 FROM daily WHERE CAST(dt AS integer) = 1": ALL,
    # through subqueries and their aliases, not through WITH and set operations
    "SELECT 1 FROM (SELECT dt AS day, id FROM daily) WHERE day = '2026-01-01'": FIRST,
    "WITH a AS (SELECT * FROM daily) SELECT 1 FROM a WHERE dt = '2026-01-01'": ALL,
    "WITH a AS (SELECT * FROM daily WHERE dt = '2026-01-01') SELECT 1 FROM a": FIRST,
    """SELECT 1 FROM daily WHERE dt = '2026-01-01' EXCEPT
    SELECT 1 FROM daily WHERE dt = '2026-01-02'""": ALL[:2],
    # grouping keys may be conditioned before grouping, aggregates may not
    "SELECT 1 FROM (SELECT dt, count(*) n FROM daily GROUP BY dt) WHERE dt = '2026-01-01'": FIRST,
    "SELECT 1 FROM (SELECT max(dt) AS dt FROM daily) WHERE dt = '2026-01-01'": ALL,
    "SELECT dt FROM daily GROUP BY dt HAVING dt = '2026-01-01'": ALL,
    # a window sees other rows
    """SELECT 1 FROM (SELECT dt, row_number() OVER (ORDER BY id) AS n FROM daily)
    WHERE dt = '2026-01-01'""": ALL,
    # LIMIT takes rows before the condition does
    "SELECT 1 FROM (SELECT dt FROM daily LIMIT 5) WHERE dt = '2026-01-01'": ALL,
    # joins
    "SELECT 1 FROM daily d JOIN plain p ON p.id = d.id WHERE dt = '2026-01-01'": FIRST,
    "SELECT 1 FROM plain LEFT JOIN daily d ON plain.id = d.id WHERE d.dt = '2026-01-01'": ALL,
    "SELECT 1 FROM daily d CROSS JOIN UNNEST(ARRAY[1]) AS t (x) WHERE d.dt = '2026-01-01'": FIRST,
    # expressions that are no condition of the row
    "SELECT 1 FROM daily WHERE dt = (SELECT max(note) FROM plain)": ALL,
    "SELECT 1 FROM plain WHERE id IN (SELECT id FROM daily WHERE dt = '2026-01-01')": FIRST,
    "SELECT 1 FROM daily WHERE \"$path\" = 'x' AND dt = '2026-01-01'": FIRST,
}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [pytest.param(*item, id=" ".join(item[0].split())[:90]) for item in DAILY.items()],
)
def test_daily(reads: Reads, sql: str, expected: list[str]) -> None:
    assert reads(sql)["daily"] == expected


def test_two_partition_columns(reads: Reads) -> None:
    sql = "SELECT 1 FROM hourly WHERE dt || ' ' || hour BETWEEN '2026-01-01 12' AND '2026-01-02 00'"
    assert reads(sql) == {"hourly": ["2026-01-01/12", "2026-01-02/00"]}


def test_each_side_of_a_self_join_is_read_for_itself(reads: Reads) -> None:
    sql = """SELECT 1 FROM daily a JOIN daily b ON a.id = b.id
    WHERE a.dt = '2026-01-01' AND b.dt = '2026-01-03'"""
    assert reads(sql)["daily"] == ["2026-01-01", "2026-01-03"]


def test_through_a_view(reads: Reads) -> None:
    view = View(
        "db", "v", "SELECT dt AS day, id FROM daily", "db", (("day", "varchar"), ("id", "integer"))
    )
    catalog = Catalog({"v": view})
    assert reads("SELECT 1 FROM v WHERE day = '2026-01-02'", catalog)["daily"] == SECOND


def test_a_stale_view_is_refused(reads: Reads) -> None:
    view = View("db", "v", "SELECT dt, id FROM daily", "db", (("dt", "varchar"),))
    with pytest.raises(QueryError, match=r"VIEW_IS_STALE: line 1:15: View 'awsdatacatalog.db.v'"):
        reads("SELECT 1 FROM v", Catalog({"v": view}))


def test_a_view_of_itself_is_refused(reads: Reads) -> None:
    view = View("db", "v", "SELECT dt FROM v", "db", (("dt", "varchar"),))
    with pytest.raises(QueryError, match="nested this deeply"):
        reads("SELECT 1 FROM v", Catalog({"v": view}))


PROJECTED = {
    "projection.enabled": "true",
    "projection.dt.type": "date",
    "projection.dt.format": "yyyy-MM-dd",
    "projection.dt.range": "2026-01-01,NOW",
}


def test_projected_days_end_today(reads: Reads) -> None:
    found = reads("SELECT 1 FROM projected WHERE dt >= '2026-01-04'", Catalog(parameters=PROJECTED))
    assert found["projected"] == ["2026-01-04", "2026-01-05"]
