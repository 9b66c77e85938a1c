"""Queries through a running server, as boto3 and the Amazon provider send them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.conftest import ACCOUNT, REGION, Server
from tests.support.patience import wait_for

DATABASE = "custody_local"


@pytest.fixture(scope="session")
def buckets(server: Server) -> dict[str, str]:
    """A results bucket, a data bucket, a database and a workgroup that enforces its output."""
    s3, glue, athena = (server.client(name) for name in ("s3", "glue", "athena"))
    names = {"results": "athena-tests-results", "data": "athena-tests-data"}
    for name in names.values():
        s3.create_bucket(Bucket=name)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    athena.create_work_group(
        Name="tests",
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{names['results']}/tests/"},
        },
    )
    return names


class Queries:
    """Statements run one after the other."""

    def __init__(self, server: Server, athena: Any = None) -> None:
        self.athena = athena or server.client("athena")

    def run(self, statement: str, **arguments: Any) -> dict[str, Any]:
        started = self.athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": DATABASE},
            WorkGroup="tests",
            **arguments,
        )
        return self.ended(started["QueryExecutionId"])

    def ended(self, execution_id: str) -> dict[str, Any]:
        def done() -> Any:
            found = self.athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            return found if found["Status"]["State"] not in ("QUEUED", "RUNNING") else None

        found: dict[str, Any] = wait_for(done)
        return found

    def rows(self, statement: str, **arguments: Any) -> list[list[str | None]]:
        execution = self.run(statement, **arguments)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        pages = self.athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"]
        )
        return [
            [cell.get("VarCharValue") for cell in row["Data"]]
            for page in pages
            for row in page["ResultSet"]["Rows"]
        ]

    def failure(self, statement: str, **arguments: Any) -> str:
        status = self.run(statement, **arguments)["Status"]
        assert status["State"] == "FAILED"
        return str(status["StateChangeReason"])


@pytest.fixture(scope="session")
def queries(server: Server, buckets: dict[str, str]) -> Queries:
    return Queries(server)


def test_json_table_with_projection(
    server: Server, queries: Queries, buckets: dict[str, str]
) -> None:
    s3 = server.client("s3")
    for day, lines in {
        "2026-01-01": ['{"Name": "a", "tags": ["x"], "more": {"Deep": 1}}', "not json"],
        "2026-01-02": ['{"name": "b"}'],
    }.items():
        s3.put_object(
            Bucket=buckets["data"], Key=f"events/dt={day}/1.json", Body="\n".join(lines).encode()
        )
    # what Hive does not see
    for key in ("_SUCCESS", ".hidden", "_temporary/1.json"):
        s3.put_object(Bucket=buckets["data"], Key=f"events/dt=2026-01-02/{key}", Body=b"{}")
    queries.rows(
        f"""CREATE EXTERNAL TABLE IF NOT EXISTS events (
            name STRING, tags ARRAY<STRING>, more STRUCT<deep: INT>
        )
        PARTITIONED BY (dt STRING)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
        WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
        STORED AS TEXTFILE
        LOCATION 's3://{buckets["data"]}/events'
        TBLPROPERTIES (
            'projection.enabled' = 'true',
            'projection.dt.type' = 'date',
            'projection.dt.format' = 'yyyy-MM-dd',
            'projection.dt.range' = '2026-01-01,2026-01-31',
            'storage.location.template' = 's3://{buckets["data"]}/events/dt=${{dt}}'
        )"""
    )
    assert queries.rows("SELECT name, tags, more, dt FROM events ORDER BY name NULLS FIRST") == [
        ["name", "tags", "more", "dt"],
        [None, None, None, "2026-01-01"],
        ["a", "[x]", "{deep=1}", "2026-01-01"],
        ["b", None, None, "2026-01-02"],
    ]
    execution = queries.run("SELECT \"$path\" FROM events WHERE dt = '2026-01-02'")
    assert execution["Statistics"]["DataScannedInBytes"] == len('{"name": "b"}')
    assert queries.rows("SHOW PARTITIONS events") == []


SSE_C = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


@pytest.mark.parametrize(
    ("body", "encryption", "says"),
    [
        (b"no gzip", {}, "HIVE_CURSOR_ERROR: Failed to decompress {}: "),
        (
            b"{}",
            SSE_C,
            "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {} (offset=0, length=2): ",
        ),
    ],
    ids=["broken", "withheld"],
)
def test_an_object_that_is_left_out_is_not_opened(
    server: Server,
    queries: Queries,
    buckets: dict[str, str],
    body: bytes,
    encryption: dict[str, Any],
    says: str,
) -> None:
    """Else one that is broken, or that S3 does not hand out, would keep everybody from the
    others."""
    s3, table = server.client("s3"), f"left_out_{len(encryption)}"
    place = f"s3://{buckets['data']}/{table}"
    s3.put_object(Bucket=buckets["data"], Key=f"{table}/broken.json.gz", Body=body, **encryption)
    s3.put_object(Bucket=buckets["data"], Key=f"{table}/whole.json", Body=b'{"name": "c"}')
    queries.rows(
        f"""CREATE EXTERNAL TABLE {table} (name STRING)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' STORED AS TEXTFILE
        LOCATION '{place}'"""
    )
    asked, broken = f"SELECT name FROM {table} WHERE name IS NOT NULL", f"{place}/broken.json.gz"
    assert says.format(broken) in queries.failure(asked)
    for left_out in (f"<> '{broken}'", f"NOT IN ('x', '{broken}')"):
        assert queries.rows(f'{asked} AND "$path" {left_out}') == [["name"], ["c"]]


def test_a_table_of_a_query_and_a_view_of_moved_partitions(
    queries: Queries, buckets: dict[str, str]
) -> None:
    data = f"s3://{buckets['data']}"
    for number in (1, 2):
        create = f"""CREATE TABLE made{number}
        WITH (format = 'PARQUET', external_location = '{data}/made/run={number}/')
        AS SELECT * FROM (VALUES
            ({number}, 'x', TIMESTAMP '2026-01-01 00:00:00.123'), (7, NULL, NULL)
        ) AS t (id, name, at)"""
        execution = queries.run(create)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        assert execution["StatementType"] == "DDL"
    assert "ALREADY_EXISTS" in queries.failure(create)
    assert "HIVE_PATH_ALREADY_EXISTS" in queries.failure(create.replace("made2", "made3", 1))
    assert queries.rows("SELECT * FROM made1 ORDER BY id")[1:] == [
        ["1", "x", "2026-01-01 00:00:00.123"],
        ["7", None, None],
    ]
    queries.rows(
        f"""CREATE EXTERNAL TABLE runs (id INT, name STRING, at TIMESTAMP)
        PARTITIONED BY (dt STRING) STORED AS PARQUET LOCATION '{data}/nowhere/'"""
    )
    queries.rows(
        f"""ALTER TABLE runs ADD IF NOT EXISTS
        PARTITION (dt = '2026-01-01') LOCATION '{data}/made/run=1/'
        PARTITION (dt = '2026-01-02') LOCATION '{data}/made/run=2/'"""
    )
    queries.rows("CREATE OR REPLACE VIEW seen AS SELECT id, name, at, dt FROM runs")
    assert queries.rows("SELECT min(id), max(dt) FROM seen")[1:] == [["1", "2026-01-02"]]
    one_day = queries.run("SELECT id FROM seen WHERE dt = '2026-01-01'")["Statistics"]
    both_days = queries.run("SELECT id FROM seen")["Statistics"]
    assert 0 < one_day["DataScannedInBytes"] < both_days["DataScannedInBytes"]
    queries.rows(
        f"ALTER TABLE runs PARTITION (dt = '2026-01-02') SET LOCATION '{data}/made/run=1/'"
    )
    assert queries.rows("SELECT min(id) FROM seen WHERE dt = '2026-01-02'")[1:] == [["1"]]
    assert queries.rows("SHOW PARTITIONS runs") == [["dt=2026-01-01"], ["dt=2026-01-02"]]


def test_definitions(server: Server, queries: Queries, buckets: dict[str, str]) -> None:
    table = f"""(id INT COMMENT 'a key', name STRING) PARTITIONED BY (dt STRING)
        STORED AS PARQUET LOCATION 's3://{buckets["data"]}/defined/'"""
    assert queries.rows(f"CREATE EXTERNAL TABLE defined {table}") == []
    assert "AlreadyExistsException" in queries.failure(f"CREATE EXTERNAL TABLE defined {table}")
    queries.rows("ALTER TABLE defined ADD PARTITION (dt = 'a/b') PARTITION (dt = '1')")
    assert "Partition already exists" in queries.failure(
        "ALTER TABLE defined ADD PARTITION (dt = '1')"
    )
    assert queries.rows("SHOW PARTITIONS defined") == [["dt=1"], ["dt=a%2Fb"]]
    queries.rows("ALTER TABLE defined DROP PARTITION (dt = 'a/b')")
    assert queries.rows("SHOW PARTITIONS defined") == [["dt=1"]]
    assert "Partition not found" in queries.failure("ALTER TABLE defined DROP PARTITION (dt = 'x')")
    assert "Partition spec" in queries.failure("ALTER TABLE defined DROP PARTITION (x = '1')")
    assert "does not exist" in queries.failure(
        "ALTER TABLE defined PARTITION (dt = 'no') SET LOCATION 's3://b/x/'"
    )
    queries.rows("CREATE OR REPLACE VIEW of_defined AS SELECT id AS n FROM defined")
    raw = server.client("glue").get_table(DatabaseName=DATABASE, Name="of_defined")["Table"]
    assert raw["TableType"] == "VIRTUAL_VIEW"
    assert raw["StorageDescriptor"]["Columns"] == [{"Name": "n", "Type": "int"}]
    assert "ALREADY_EXISTS" in queries.failure("CREATE VIEW of_defined AS SELECT 1 AS n")
    assert "ALREADY_EXISTS" in queries.failure("CREATE OR REPLACE VIEW defined AS SELECT 1 AS n")
    assert "MISSING_COLUMN_NAME" in queries.failure("CREATE VIEW unnamed AS SELECT 1")
    assert "is a table, not a view" in queries.failure("DROP VIEW defined")
    queries.rows("DROP VIEW of_defined")
    queries.rows("DROP TABLE defined")
    queries.rows("DROP TABLE IF EXISTS defined")
    assert "Table not found" in queries.failure("DROP TABLE defined")
    assert "SCHEMA_NOT_FOUND" in queries.failure("SELECT 1 FROM nowhere.t")


def test_a_failed_query_says_why(queries: Queries) -> None:
    for statement, reason, kind in (
        ("SELECT nope", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved", 1006),
        ("SELECT 1 FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog", 1108),
        ("EXPLAIN SELECT 1", "NOT_SUPPORTED: the statement EXPLAIN is not supported by the", 1200),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero", 1000),
    ):
        execution = queries.run(statement)
        status = execution["Status"]
        assert status["State"] == "FAILED"
        assert status["StateChangeReason"].startswith(reason)
        assert status["AthenaError"] == {
            "ErrorCategory": 2,
            "ErrorType": kind,
            "Retryable": False,
            "ErrorMessage": status["StateChangeReason"],
        }
        assert status["CompletionDateTime"] >= status["SubmissionDateTime"]
        with pytest.raises(ClientError, match="Final query state: FAILED"):
            queries.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])


def test_results_come_in_pages_with_the_header_first(queries: Queries) -> None:
    execution = queries.run("SELECT x FROM UNNEST(sequence(1, 1500)) AS t (x) ORDER BY x")
    call = {"QueryExecutionId": execution["QueryExecutionId"]}
    first = queries.athena.get_query_results(**call, MaxResults=1000)
    rows = first["ResultSet"]["Rows"]
    assert (len(rows), rows[0]["Data"], rows[1]["Data"]) == (
        *(1000, [{"VarCharValue": "x"}], [{"VarCharValue": "1"}]),
    )
    second = queries.athena.get_query_results(**call, NextToken=first["NextToken"])
    assert len(second["ResultSet"]["Rows"]) == 501
    assert "NextToken" not in second
    assert first["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]["Type"] == "bigint"


def test_where_results_go(queries: Queries, buckets: dict[str, str]) -> None:
    execution = queries.run(
        "SELECT 1", ResultConfiguration={"OutputLocation": f"s3://{buckets['data']}/elsewhere/"}
    )
    execution_id = execution["QueryExecutionId"]
    # the workgroup enforces its own
    assert execution["ResultConfiguration"]["OutputLocation"] == (
        f"s3://{buckets['results']}/tests/{execution_id}.csv"
    )
    assert execution["WorkGroup"] == "tests"
    assert execution["Statistics"]["DataScannedInBytes"] == 0
    with pytest.raises(ClientError, match="No output location provided"):
        queries.athena.start_query_execution(QueryString="SELECT 1")


ENDLESS = """SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a (x)
CROSS JOIN UNNEST(sequence(1, 10000)) AS b (y) CROSS JOIN UNNEST(sequence(1, 10000)) AS c (z)
WHERE x * y % 7 = z"""


def start_endless(queries: Queries) -> str:
    """An execution that is running and would for hours."""
    started = queries.athena.start_query_execution(QueryString=ENDLESS, WorkGroup="tests")
    execution_id: str = started["QueryExecutionId"]

    def state() -> str:
        found = queries.athena.get_query_execution(QueryExecutionId=execution_id)
        return str(found["QueryExecution"]["Status"]["State"])

    wait_for(lambda: state() == "RUNNING")
    return execution_id


def test_stopping_a_query(queries: Queries) -> None:
    execution_id = start_endless(queries)
    queries.athena.stop_query_execution(QueryExecutionId=execution_id)
    status = queries.ended(execution_id)["Status"]
    assert status["State"] == "CANCELLED"
    # and its thread is free again
    assert queries.rows("SELECT 1")[1:] == [["1"]]


def test_the_scan_limit_of_a_workgroup(
    server: Server, queries: Queries, buckets: dict[str, str]
) -> None:
    queries.athena.create_work_group(
        Name="frugal",
        Configuration={
            "BytesScannedCutoffPerQuery": 10_000_000,
            "ResultConfiguration": {"OutputLocation": f"s3://{buckets['results']}/frugal/"},
        },
    )
    server.client("s3").put_object(
        Bucket=buckets["data"], Key="large/1.json", Body=b"{}\n" * 4_000_000
    )
    queries.rows(
        f"""CREATE EXTERNAL TABLE large (a STRING)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{buckets["data"]}/large'"""
    )
    started = queries.athena.start_query_execution(
        QueryString=f"SELECT 1 FROM {DATABASE}.large", WorkGroup="frugal"
    )
    status = queries.ended(started["QueryExecutionId"])["Status"]
    assert (status["State"], status["StateChangeReason"]) == (
        *("CANCELLED", "Bytes scanned limit was exceeded"),
    )


# --- Permissions ---


def reader(server: Server, name: str, *statements: dict[str, Any]) -> Queries:
    """Queries of a user who may use the workgroup, and what else is given."""
    iam = server.client("iam")
    iam.create_user(UserName=name)
    own = {
        "Effect": "Allow",
        "Action": "athena:*",
        "Resource": f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/tests",
    }
    policy = {"Version": "2012-10-17", "Statement": [own, *statements]}
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = server.session(key["AccessKeyId"], key["SecretAccessKey"])
    return Queries(server, server.client("athena", session))


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


@pytest.fixture(scope="session")
def guarded(server: Server, queries: Queries, buckets: dict[str, str]) -> str:
    """A table of one object."""
    server.client("s3").put_object(Bucket=buckets["data"], Key="guarded/1.json", Body=b'{"a": 1}')
    queries.rows(
        f"""CREATE EXTERNAL TABLE guarded (a INT)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
        LOCATION 's3://{buckets["data"]}/guarded/'"""
    )
    return f"SELECT a FROM {DATABASE}.guarded"


RESULTS = allow("s3:*", resource="arn:aws:s3:::athena-tests-results/*")
CATALOG = allow("glue:Get*")
LIST = allow("s3:ListBucket", resource="arn:aws:s3:::athena-tests-data")
READ = allow("s3:GetObject", resource="arn:aws:s3:::athena-tests-data/guarded/*")


@pytest.mark.parametrize(
    ("name", "statements", "reason"),
    [
        ("no-catalog", [RESULTS, LIST, READ], "Insufficient permissions to execute the query."),
        (
            "no-list",
            [RESULTS, CATALOG, READ],
            "Permission denied on S3 path: s3://athena-tests-data/guarded/",
        ),
        (
            "no-read",
            [RESULTS, CATALOG, LIST],
            "Permission denied on S3 path: s3://athena-tests-data/guarded/1.json",
        ),
        (
            "no-results",
            [CATALOG, LIST, READ],
            "Permission denied on S3 path: s3://athena-tests-results/tests/",
        ),
    ],
)
def test_a_query_may_do_what_its_caller_may(
    server: Server, queries: Queries, guarded: str, name: str, statements: Any, reason: str
) -> None:
    assert queries.rows(guarded) == [["a"], ["1"]]
    assert reader(server, name, *statements).failure(guarded).startswith(reason)


# --- A server that dies ---


def test_a_kill_fails_what_runs_and_keeps_the_rest(own_server: Server) -> None:
    own_server.client("s3").create_bucket(Bucket="athena-kill-results")
    queries = Queries(own_server)
    queries.athena.create_work_group(
        Name="tests",
        Configuration={"ResultConfiguration": {"OutputLocation": "s3://athena-kill-results/"}},
    )
    started = queries.athena.start_query_execution(QueryString="SELECT 7 AS n", WorkGroup="tests")
    done = queries.ended(started["QueryExecutionId"])
    running = start_endless(queries)
    own_server.kill()
    own_server.start()
    queries = Queries(own_server)
    failed = queries.ended(running)
    assert failed["Status"]["State"] == "FAILED"
    assert failed["Status"]["StateChangeReason"] == (
        "The local Athena ended while the query was running; run it again."
    )
    assert failed["Status"]["AthenaError"]["Retryable"] is True
    results = queries.athena.get_query_results(QueryExecutionId=done["QueryExecutionId"])
    assert [row["Data"][0]["VarCharValue"] for row in results["ResultSet"]["Rows"]] == ["n", "7"]
