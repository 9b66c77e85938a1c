"""What a statement is, and what its clauses say."""

from __future__ import annotations

import pytest

from localaws.athena import ddl
from localaws.athena.errors import QueryError
from localaws.athena.parameters import filled
from localaws.athena.statements import (
    CreateTableAs,
    CreateView,
    Insert,
    Select,
    Unload,
    parse,
    statement_type,
)

CREATE = """-- a header
CREATE EXTERNAL TABLE IF NOT EXISTS `Db`.events (
    id INT COMMENT 'it''s a \\'key\\'', -- a comment, with a comma
    `Date` VARCHAR(10),
    tags ARRAY<STRUCT<Name: STRING, n: DECIMAL(10, 2)>>,
    pairs MAP<STRING, BIGINT>
)
COMMENT 'what happened'
PARTITIONED BY (dt STRING, hour INT)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
STORED AS INPUTFORMAT 'in' OUTPUTFORMAT 'out'
LOCATION 's3://bucket/path'
TBLPROPERTIES ('projection.enabled' = 'true', 'x' = 'a=b');
"""


def test_create_external_table() -> None:
    found = parse(CREATE)
    assert found == ddl.CreateTable(
        name=("db", "events"),
        if_not_exists=True,
        columns=(
            ddl.ColumnDefinition("id", "int", "it's a 'key'"),
            ddl.ColumnDefinition("date", "varchar(10)"),
            ddl.ColumnDefinition("tags", "array<struct<name:string,n:decimal(10,2)>>"),
            ddl.ColumnDefinition("pairs", "map<string,bigint>"),
        ),
        partition_keys=(
            ddl.ColumnDefinition("dt", "string"),
            ddl.ColumnDefinition("hour", "int"),
        ),
        comment="what happened",
        serde="org.openx.data.jsonserde.JsonSerDe",
        serde_parameters={"ignore.malformed.json": "true"},
        input_format="in",
        output_format="out",
        location="s3://bucket/path",
        properties={"projection.enabled": "true", "x": "a=b"},
    )
    assert statement_type(found) == "DDL"


def test_stored_as_parquet() -> None:
    found = parse("create external table t (a int) stored as parquet location 's3://b/p/'")
    assert isinstance(found, ddl.CreateTable)
    assert (found.serde, found.input_format) == (ddl.PARQUET_SERDE, ddl.PARQUET_INPUT)


def test_row_format_delimited() -> None:
    found = parse(
        "CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' "
        "ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' LOCATION 's3://b/p'"
    )
    assert isinstance(found, ddl.CreateTable)
    assert found.serde == ddl.LAZY_SIMPLE
    assert found.serde_parameters == {
        "field.delim": "\t",
        "serialization.format": "\t",
        "escape.delim": "\\",
        "line.delim": "\n",
    }


PARSED = {
    "DROP TABLE IF EXISTS a.b;": ddl.DropTable(("a", "b"), if_exists=True),
    "drop view v": ddl.DropView((None, "v"), if_exists=False),
    "CREATE DATABASE IF NOT EXISTS d COMMENT 'c' LOCATION 's3://b/'": ddl.CreateDatabase(
        "d", if_not_exists=True, comment="c", location="s3://b/"
    ),
    "DROP SCHEMA d CASCADE": ddl.DropDatabase("d", if_exists=False, cascade=True),
    """ALTER TABLE t ADD IF NOT EXISTS PARTITION (dt='1', `Hour`=2) LOCATION 's3://b/1'
    PARTITION (dt='2',hour='3')""": (
        ddl.AddPartitions(
            (None, "t"),
            if_not_exists=True,
            partitions=(
                ((("dt", "1"), ("hour", "2")), "s3://b/1"),
                ((("dt", "2"), ("hour", "3")), None),
            ),
        )
    ),
    "ALTER TABLE t DROP IF EXISTS PARTITION (dt='1'), PARTITION (dt='2')": ddl.DropPartitions(
        (None, "t"), if_exists=True, partitions=((("dt", "1"),), (("dt", "2"),))
    ),
    "ALTER TABLE t PARTITION (dt='1') SET LOCATION 's3://b/2'": ddl.SetLocation(
        (None, "t"), (("dt", "1"),), "s3://b/2"
    ),
    "ALTER TABLE t SET LOCATION 's3://b/2'": ddl.SetLocation((None, "t"), None, "s3://b/2"),
    "MSCK REPAIR TABLE t": ddl.RepairTable((None, "t")),
    "SHOW PARTITIONS d.t": ddl.ShowPartitions(("d", "t")),
    "SHOW TABLES IN d 'a*|b'": ddl.ShowTables("d", "a*|b", views=False),
    "SHOW VIEWS": ddl.ShowTables(None, None, views=True),
    "SHOW DATABASES LIKE 'x'": ddl.ShowDatabases("x"),
    "SHOW COLUMNS IN t FROM d": ddl.ShowColumns(("d", "t")),
    "SHOW CREATE TABLE t": ddl.ShowCreateTable((None, "t")),
    "SHOW CREATE VIEW v": ddl.ShowCreateView((None, "v")),
    "DESCRIBE awsdatacatalog.d.t": ddl.Describe(("d", "t")),
}


@pytest.mark.parametrize(
    ("statement", "expected"), [pytest.param(*item, id=item[0]) for item in PARSED.items()]
)
def test_definition(statement: str, expected: ddl.Definition) -> None:
    assert parse(statement) == expected


def test_unload() -> None:
    found = parse(
        """UNLOAD (SELECT ')' AS a, '\\' AS b FROM t -- ) not the end
        ) TO 's3://b/x/' WITH (format = 'PARQUET', partitioned_by = ARRAY['dt', 'hour'])"""
    )
    assert isinstance(found, Unload)
    assert found.location == "s3://b/x/"
    assert found.options == {"format": "PARQUET", "partitioned_by": ("dt", "hour")}
    assert [item.alias for item in found.query.expressions] == ["a", "b"]
    assert statement_type(found) == "DML"


def test_create_view_keeps_its_text() -> None:
    found = parse("/* x */ CREATE OR REPLACE VIEW d.v AS\nSELECT 'a;' AS x -- y\nFROM t ;\n")
    assert isinstance(found, CreateView)
    assert (found.name, found.replace) == (("d", "v"), True)
    assert found.text == "SELECT 'a;' AS x -- y\nFROM t"


def test_create_table_as() -> None:
    found = parse("CREATE TABLE d.t WITH (format = 'PARQUET') AS SELECT 1 AS a WITH NO DATA")
    assert isinstance(found, CreateTableAs)
    assert (found.name, found.options, found.with_data) == (
        ("d", "t"),
        {"format": "PARQUET"},
        False,
    )


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("INSERT INTO t (a, B) SELECT 1, 2", ("a", "b")),
        ("INSERT INTO t (SELECT 1)", ()),
        ("INSERT INTO t VALUES (1)", ()),
        ("INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", ()),
    ],
)
def test_insert(statement: str, columns: tuple[str, ...]) -> None:
    found = parse(statement)
    assert isinstance(found, Insert)
    assert found.columns == columns


def test_select_with_a_header_comment() -> None:
    assert isinstance(parse("-- Grain: a row\n/* and more */ WITH a AS (SELECT 1) TABLE a"), Select)


REFUSED = {
    "CREATE EXTERNAL TABLE t (a int)": "FAILED: SemanticException: No location specified",
    "CREATE EXTERNAL TABLE t (a int) LOCATION '/tmp/x'": "is not an s3:// path",
    "CREATE EXTERNAL TABLE t (a int, A string) LOCATION 's3://b/p'": "Duplicate column name: a",
    "CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION 's3://b/p'": "STORED AS ORC",
    "CREATE EXTERNAL TABLE t (a uniontype<int>) LOCATION 's3://b/p'": "the column type",
    "CREATE EXTERNAL TABLE t (a int) CLUSTERED BY (a) INTO 2 BUCKETS": "CLUSTERED",
    "CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/p' oops": "mismatched input 'oops'",
    "CREATE TABLE t (a int)": "CREATE TABLE of anything but a query",
    "ALTER TABLE t RENAME TO u": "this form of ALTER TABLE",
    "ALTER TABLE t ADD COLUMNS (a int)": "ADD of anything but partitions",
    "ALTER TABLE t PARTITION (dt > '1') SET LOCATION 's3://b/'": "mismatched input '>'",
    "MSCK REPAIR TABLE t t": "mismatched input 't'",
    "SHOW FUNCTIONS": "the statement SHOW",
    "VACUUM t": "the statement VACUUM",
    "UNLOAD (SELECT 1) TO 's3://b/' WITH (format = 'a', format = 'b')": "Duplicate property",
    "UNLOAD (SELECT 1 TO 's3://b/'": "mismatched input '<EOF>'",
    "DROP TABLE": "mismatched input '<EOF>'",
}


@pytest.mark.parametrize(
    ("statement", "message"), [pytest.param(*item, id=item[0][:60]) for item in REFUSED.items()]
)
def test_refused(statement: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(statement)
    assert message in str(caught.value)


def test_the_longest_statement() -> None:
    with pytest.raises(QueryError, match="longer than 262144 bytes"):
        parse("SELECT '" + "x" * 262_144 + "'")


def test_positions_inside_an_unload_are_those_of_the_statement() -> None:
    with pytest.raises(QueryError, match="line 2:14: mismatched input 'c'"):
        parse("UNLOAD (\n  SELECT a b c\n) TO 's3://b/' WITH (format = 'PARQUET')")


def test_parameters() -> None:
    assert filled("SELECT ?, '?' -- ?\n, ?", ["'it''s'", "DATE '2026-01-01'"]) == (
        "SELECT 'it''s', '?' -- ?\n, DATE '2026-01-01'"
    )
    assert filled("SELECT '?'", []) == "SELECT '?'"


@pytest.mark.parametrize("value", ["1); DROP TABLE t; --", "a", "(SELECT 1)", "1, 2", "1 + 1", ""])
def test_parameters_are_literals(value: str) -> None:
    with pytest.raises(QueryError):
        filled("SELECT ?", [value])


def test_the_number_of_parameters() -> None:
    with pytest.raises(QueryError, match=r"INVALID_PARAMETER_USAGE: .* expected 2 but found 1"):
        filled("SELECT ?, ?", ["1"])
