"""Whole queries mean what they mean in Trino."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., list[tuple[Any, ...]]]

TABLES: dict[str, list[dict[str, Any]]] = {
    "orders": [
        {"id": 1, "customer": "ann", "total": "10.50", "tags": ["x", "y"], "dt": "2026-01-01"},
        {"id": 2, "customer": "bob", "total": "5.00", "tags": [], "dt": "2026-01-01"},
        {"id": 3, "customer": "ann", "total": None, "tags": None, "dt": "2026-01-02"},
        {"id": 4, "customer": None, "total": "1.25", "tags": ["z"], "dt": "2026-01-02"},
    ],
    "customers": [
        {"name": "ann", "home": {"city": "Rome", "zip": 1}},
        {"name": "cid", "home": None},
    ],
    "pairs": [{"items": [{"k": "a", "v": 1}, None, {"k": "b", "v": 2}]}],
}
SCHEMAS = {
    "orders": {
        "id": "int",
        "customer": "string",
        "total": "decimal(10,2)",
        "tags": "array<string>",
        "dt": "string",
    },
    "customers": {"name": "string", "home": "struct<city:string,zip:int>"},
    "pairs": {"items": "array<struct<k:string,v:int>>"},
}

QUERIES: dict[str, list[tuple[Any, ...]]] = {
    # NULLs come last, whatever the direction
    "SELECT customer FROM orders ORDER BY customer DESC": [("bob",), ("ann",), ("ann",), (None,)],
    "SELECT customer FROM orders ORDER BY 1 NULLS FIRST LIMIT 1": [(None,)],
    # an alias wins over a column of that name in ORDER BY, and is unknown in WHERE and GROUP BY
    "SELECT -id AS id FROM orders ORDER BY id LIMIT 1": [(-4,)],
    "SELECT count(*), count(total), count(DISTINCT customer) FROM orders": [(4, 3, 2)],
    "SELECT count_if(id > 9), count_if(id > 3) FROM orders WHERE id > 2": [(0, 1)],
    "SELECT count_if(id > 9) FROM orders WHERE id > 9": [(0,)],
    "SELECT dt, array_agg(id ORDER BY id DESC) FROM orders GROUP BY 1 ORDER BY 1": [
        ("2026-01-01", [2, 1]),
        ("2026-01-02", [4, 3]),
    ],
    # joins
    "SELECT o.id, c.home.city FROM orders o JOIN customers c ON o.customer = c.name ORDER BY 1": [
        (1, "Rome"),
        (3, "Rome"),
    ],
    "SELECT b.id, dt FROM orders a LEFT JOIN orders b USING (id, dt) ORDER BY a.id LIMIT 1": [
        (1, "2026-01-01")
    ],
    "SELECT sum(id) AS id FROM orders GROUP BY dt HAVING sum(id) > 3 ORDER BY id": [(7,)],
    """SELECT id, name FROM orders FULL OUTER JOIN customers ON customer = name
    WHERE id IS NULL OR name IS NULL ORDER BY id""": [(2, None), (4, None), (None, "cid")],
    # subqueries
    "SELECT id FROM orders WHERE customer IN (SELECT name FROM customers) ORDER BY id": [
        (1,),
        (3,),
    ],
    """SELECT name FROM customers c
    WHERE NOT EXISTS (SELECT 1 FROM orders WHERE customer = c.name)""": [("cid",)],
    "SELECT (SELECT max(id) FROM orders o WHERE o.customer = c.name) FROM customers c ORDER BY 1": [
        (3,),
        (None,),
    ],
    """WITH a AS (SELECT id, dt FROM orders), b (day, n) AS (SELECT dt, count(*) FROM a GROUP BY dt)
    SELECT a.id, b.n FROM a JOIN b ON a.dt = b.day WHERE b.day > '2026-01-01' ORDER BY 1""": [
        (3, 2),
        (4, 2),
    ],
    # an inner name hides an outer one
    "WITH orders AS (SELECT 7 AS id) SELECT id FROM orders": [(7,)],
    "SELECT x FROM (VALUES (1, 'a'), (2, NULL)) AS t (x, y) WHERE y IS NULL": [(2,)],
    # set operations
    "SELECT id FROM orders EXCEPT SELECT 2 ORDER BY 1": [(1,), (3,), (4,)],
    # windows
    """SELECT id, row_number() OVER (PARTITION BY dt ORDER BY id DESC) AS n FROM orders
    ORDER BY id""": [(1, 2), (2, 1), (3, 2), (4, 1)],
    """SELECT id, lag(id) OVER (ORDER BY id), lead(id, 2, 0) OVER (ORDER BY id),
        last_value(id) OVER (ORDER BY id)
    FROM orders ORDER BY id LIMIT 2""": [(1, None, 3, 1), (2, 1, 4, 2)],
    "SELECT dt, sum(count(*)) OVER () FROM orders GROUP BY dt ORDER BY dt": [
        ("2026-01-01", 4),
        ("2026-01-02", 4),
    ],
    # UNNEST
    "SELECT id, tag FROM orders CROSS JOIN UNNEST(tags) AS t (tag) ORDER BY id, tag": [
        (1, "x"),
        (1, "y"),
        (4, "z"),
    ],
    """SELECT id, tag, n FROM orders LEFT JOIN UNNEST(tags) WITH ORDINALITY AS t (tag, n) ON TRUE
    ORDER BY id, n""": [(1, "x", 1), (1, "y", 2), (2, None, None), (3, None, None), (4, "z", 1)],
    # an array of rows becomes columns
    "SELECT k, v FROM pairs CROSS JOIN UNNEST(items) AS t (k, v) ORDER BY v": [
        ("a", 1),
        ("b", 2),
        (None, None),
    ],
    # names are not case-sensitive, quoted or not
    'SELECT O.ID, "o"."Customer" FROM Orders AS o WHERE o.Id = 1': [(1, "ann")],
    "SELECT customers.home.zip, home.CITY FROM customers WHERE name = 'ann'": [(1, "Rome")],
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [pytest.param(*item, id=" ".join(item[0].split())[:60]) for item in QUERIES.items()],
)
def test_rows(run: Run, query: str, expected: list[tuple[Any, ...]]) -> None:
    assert run(query, TABLES, SCHEMAS) == expected


def test_a_view_runs_as_if_its_text_stood_there(run: Run) -> None:
    views = {"big": "CREATE VIEW big AS SELECT id, total FROM orders WHERE total > 5"}
    assert run("SELECT b.id FROM big AS b", TABLES, SCHEMAS, views) == [(1,)]


def test_a_long_chain_of_conditions_is_no_nesting(run: Run) -> None:
    conditions = " OR ".join(f"id = {number}" for number in range(2, 400))
    assert run(f"SELECT count(*) FROM orders WHERE {conditions}", TABLES, SCHEMAS) == [(3,)]


def test_deep_nesting_is_refused(failure: Callable[..., str]) -> None:
    query = "SELECT " + "(" * 5000 + "1" + ")" * 5000
    assert failure(query).startswith("NOT_SUPPORTED: a statement nested this deeply")


_RESOLVED = "cannot be resolved or requester is not authorized to access requested resources"
FAILURES = {
    # typing errors
    "SELEC 1": "SYNTAX_ERROR: line 1:1: mismatched input 'SELEC'",
    "CREATE VEW v AS SELECT 1": "SYNTAX_ERROR: line 1:8: mismatched input 'VEW'",
    "CREATE VIEW v SELECT 1": "SYNTAX_ERROR: line 1:15: mismatched input 'SELECT'",
    "SELECT 1 FORM orders": "SYNTAX_ERROR: line 1:15: mismatched input 'orders'",
    "SELECT id, FROM orders": "SYNTAX_ERROR: line 1:12: mismatched input 'FROM'",
    "SELECT id FROM orders WHERE id == 1": "SYNTAX_ERROR: line 1:32: mismatched input '=='",
    "SELECT id FROM orders WHERE customer ILIKE 'a'": "SYNTAX_ERROR: line 1:38: mismatched input",
    "SELECT id::varchar FROM orders": "SYNTAX_ERROR: line 1:10: mismatched input '::'",
    "SELECT 'open": "SYNTAX_ERROR",
    "SELECT 1; SELECT 2": "SYNTAX_ERROR: Only one sql statement is allowed.",
    "": "Query is empty",
    # names
    "SELECT nope FROM orders": f"COLUMN_NOT_FOUND: line 1:8: Column 'nope' {_RESOLVED}",
    "SELECT orders.id FROM orders o": "COLUMN_NOT_FOUND: line 1:8: Column 'orders.id' cannot be",
    "SELECT id AS n FROM orders WHERE n = 1": "COLUMN_NOT_FOUND: line 1:34: Column 'n' cannot be",
    "SELECT dt FROM orders a, orders b": "AMBIGUOUS_NAME: line 1:8: Column 'dt' is ambiguous",
    "SELECT 1 FROM nope": (
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.golden.nope' does not exist"
    ),
    "SELECT nvl(id, 1) FROM orders": "FUNCTION_NOT_FOUND: line 1:8: Function 'nvl' not registered",
    "SELECT lower(id) FROM orders": "FUNCTION_NOT_FOUND: No function matches",
    "SELECT substr('a') FROM orders": "FUNCTION_NOT_FOUND: Macro t_substr() does not support",
    # types
    "SELECT 1 FROM orders WHERE id = 'a'": (
        "TYPE_MISMATCH: line 1:28: Cannot apply operator: integer = varchar"
    ),
    "SELECT 1 FROM orders WHERE DATE '2026-01-01' = '2026-01-01'": "TYPE_MISMATCH",
    "SELECT id + customer FROM orders": (
        "TYPE_MISMATCH: line 1:8: Cannot apply operator: integer + varchar"
    ),
    "SELECT id FROM orders WHERE id": (
        "TYPE_MISMATCH: line 1:29: WHERE clause must evaluate to a boolean: actual type integer"
    ),
    "SELECT coalesce(id, customer) FROM orders": "TYPE_MISMATCH: Cannot mix values",
    "SELECT CAST(id AS date) FROM orders": "TYPE_MISMATCH: Cannot cast",
    "SELECT customer || id FROM orders": "TYPE_MISMATCH: line 1:8: Cannot apply operator: varchar",
    "SELECT 1 FROM orders WHERE id IN ('a')": "TYPE_MISMATCH: line 1:28: Cannot apply operator",
    "SELECT id FROM orders UNION SELECT dt FROM orders": "TYPE_MISMATCH",
    # aggregates
    "SELECT id, count(*) FROM orders": "EXPRESSION_NOT_AGGREGATE",
    "SELECT id FROM orders WHERE count(*) > 1": (
        "EXPRESSION_NOT_SCALAR: WHERE clause cannot contain aggregates"
    ),
    "SELECT id FROM orders GROUP BY 2": "INVALID_COLUMN_REFERENCE: line 1:32: GROUP BY position 2",
    "SELECT (SELECT id FROM orders)": "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned",
    # what Athena can do and this cannot
    "SELECT dt, count(*) FROM orders GROUP BY ROLLUP (dt)": "NOT_SUPPORTED",
    "SELECT * EXCEPT (id) FROM orders": "NOT_SUPPORTED",
    "SELECT * FROM orders NATURAL JOIN customers": "NOT_SUPPORTED",
    "SELECT * FROM orders TABLESAMPLE BERNOULLI (10)": "NOT_SUPPORTED",
    "WITH RECURSIVE t (n) AS (SELECT 1) SELECT n FROM t": "NOT_SUPPORTED",
    "SELECT count(*) OVER w FROM orders WINDOW w AS (ORDER BY id)": "NOT_SUPPORTED",
    "DELETE FROM orders": "NOT_SUPPORTED: the statement DELETE",
    # nothing of DuckDB is reachable
    "SELECT * FROM read_csv('/etc/passwd')": "NOT_SUPPORTED",
    "SELECT read_text('/etc/passwd')": "FUNCTION_NOT_FOUND: line 1:8: Function 'read_text'",
    "COPY orders TO '/tmp/x'": "SYNTAX_ERROR: line 1:1: mismatched input 'COPY'",
}


@pytest.mark.parametrize(
    ("query", "message"), [pytest.param(*item, id=item[0][:60]) for item in FAILURES.items()]
)
def test_failure(failure: Callable[..., str], query: str, message: str) -> None:
    assert failure(query, TABLES, SCHEMAS).startswith(message)
