"""What a statement is, and what its clauses say."""

from __future__ import annotations

import pytest

from localaws.athena.errors import QueryError
from localaws.athena.statements import (
    AddPartitions,
    CreateTable,
    CreateTableAs,
    CreateView,
    Definition,
    DropPartitions,
    Select,
    SetLocation,
    parse,
)

CREATE = """-- a header
CREATE EXTERNAL TABLE IF NOT EXISTS `Db`.events (
    id INT COMMENT 'it\\'s a \\'key\\'', -- a comment, with a comma
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
    assert parse(CREATE) == CreateTable(
        name=("db", "events"),
        if_not_exists=True,
        table={
            "Name": "events",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {
                "EXTERNAL": "TRUE",
                "comment": "what happened",
                "projection.enabled": "true",
                "x": "a=b",
            },
            "PartitionKeys": [{"Name": "dt", "Type": "string"}, {"Name": "hour", "Type": "int"}],
            "StorageDescriptor": {
                "Columns": [
                    {"Name": "id", "Type": "int", "Comment": "it's a 'key'"},
                    {"Name": "date", "Type": "varchar(10)"},
                    {"Name": "tags", "Type": "array<struct<name:string,n:decimal(10,2)>>"},
                    {"Name": "pairs", "Type": "map<string,bigint>"},
                ],
                "Location": "s3://bucket/path",
                "InputFormat": "in",
                "OutputFormat": "out",
                "SerdeInfo": {
                    "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
                    "Parameters": {"ignore.malformed.json": "true"},
                },
            },
        },
    )


PARSED: dict[str, Definition] = {
    """ALTER TABLE t ADD IF NOT EXISTS PARTITION (dt='1', `Hour`=2) LOCATION 's3://b/1'
    PARTITION (dt='2',hour='3')""": (
        AddPartitions(
            (None, "t"),
            if_not_exists=True,
            partitions=(
                ((("dt", "1"), ("hour", "2")), "s3://b/1"),
                ((("dt", "2"), ("hour", "3")), None),
            ),
        )
    ),
    "ALTER TABLE t DROP IF EXISTS PARTITION (dt='1'), PARTITION (dt='2')": DropPartitions(
        (None, "t"), if_exists=True, partitions=((("dt", "1"),), (("dt", "2"),))
    ),
    "ALTER TABLE t PARTITION (dt='1') SET LOCATION 's3://b/2'": SetLocation(
        (None, "t"), (("dt", "1"),), "s3://b/2"
    ),
}


@pytest.mark.parametrize(
    ("statement", "expected"), [pytest.param(*item, id=item[0]) for item in PARSED.items()]
)
def test_definition(statement: str, expected: Definition) -> None:
    assert parse(statement) == expected


def test_create_view_keeps_its_text() -> None:
    found = parse("/* x */ CREATE OR REPLACE VIEW d.v AS\nSELECT 'a;' AS x -- y\nFROM t ;\n")
    assert isinstance(found, CreateView)
    assert (found.name, found.replace) == (("d", "v"), True)
    assert found.text == "SELECT 'a;' AS x -- y\nFROM t"


def test_create_table_as() -> None:
    found = parse("CREATE TABLE d.t WITH (format = 'PARQUET') AS SELECT 1 AS a")
    assert isinstance(found, CreateTableAs)
    assert (found.name, found.location) == (("d", "t"), None)


def test_select_with_a_header_comment() -> None:
    assert isinstance(parse("-- Grain: a row\n/* and more */ WITH a AS (SELECT 1) TABLE a"), Select)


REFUSED = {
    "CREATE EXTERNAL TABLE t (a int)": "FAILED: SemanticException: No location specified",
    "CREATE EXTERNAL TABLE t (a int) LOCATION '/tmp/x'": "is not an s3:// path",
    "CREATE EXTERNAL TABLE t (a int, A string) LOCATION 's3://b/p'": "Duplicate column name: a",
    "CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION 's3://b/p'": "STORED AS ORC",
    "CREATE EXTERNAL TABLE t (a uniontype<int>) LOCATION 's3://b/p'": "FAILED: ParseException",
    "CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/p' oops": "this form of CREATE",
    "CREATE TABLE t WITH (format = 'ORC') AS SELECT 1 a": "NOT_SUPPORTED: the format ORC",
    "CREATE TABLE t WITH (partitioned_by = ARRAY['a']) AS SELECT 1 a": "NOT_SUPPORTED",
    "ALTER TABLE t RENAME TO u": "NOT_SUPPORTED: the statement ALTER TABLE",
    "ALTER TABLE t PARTITION (dt > '1') SET LOCATION 's3://b/'": "mismatched input '>'",
    "DROP TABLE": "NOT_SUPPORTED: the statement DROP TABLE",
    "SELECT '" + "x" * 262_144 + "'": "longer than 262144 bytes",
}


@pytest.mark.parametrize(
    ("statement", "message"), [pytest.param(*item, id=item[0][:60]) for item in REFUSED.items()]
)
def test_refused(statement: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(statement)
    assert message in str(caught.value)
