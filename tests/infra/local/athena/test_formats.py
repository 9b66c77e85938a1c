"""Objects become rows as Athena's SerDes and Parquet reader make them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from localaws.athena.errors import QueryError
from localaws.athena.hive import PARQUET_INPUT, PARQUET_SERDE
from localaws.athena.sql.session import Session
from localaws.athena.sql.types import parse_hive
from localaws.athena.tables.formats import DataFile, load
from localaws.athena.tables.partitions import Partition
from localaws.athena.tables.relations import Column, Storage, Table
from localaws.athena.tables.storage import StoredObject

OPENX = "org.openx.data.jsonserde.JsonSerDe"
HCATALOG = "org.apache.hive.hcatalog.data.JsonSerDe"
CLOUDTRAIL = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"

Read = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The rows of one object under a table's columns (Hive types by name)."""

    def rows(
        content: bytes, columns: dict[str, str], storage: Storage, key: str = "data/1"
    ) -> list[tuple[Any, ...]]:
        path = tmp_path / "object"
        path.write_bytes(content)
        keys = (Column("dt", parse_hive("string")),)
        table = Table(
            "db",
            "t",
            tuple(Column(name, parse_hive(hive)) for name, hive in columns.items()),
            keys,
            storage,
        )
        stored = StoredObject("b", key, len(content))
        file = DataFile(Partition({"dt": "2026-01-01"}, storage), stored, path)
        with Session(tmp_path) as session:
            used = frozenset([*columns, "dt", "$path"])
            load(session, "t1", table, used, [file])
            names = ", ".join(f'"{name}"' for name in columns)
            return session.rows(f"SELECT {names} FROM t1")

    return rows


def json_storage(serde: str = OPENX, input_format: str = "", **parameters: str) -> Storage:
    return Storage(
        "s3://b/data", serde, input_format, {k.replace("_", "."): v for k, v in parameters.items()}
    )


IGNORING = json_storage(ignore_malformed_json="true")


# By column: its Hive type, the JSON value and what a query sees.
FITTING: dict[str, tuple[str, Any, Any]] = {
    "i": ("int", 7, 7),
    "big": ("bigint", "12", 12),
    "d": ("double", 1.5, 1.5),
    "b": ("boolean", True, True),
    "day": ("date", "2026-01-02", date(2026, 1, 2)),
    "ts": (
        *("timestamp", "2026-01-02 03:04:05.678"),
        datetime(2026, 1, 2, 3, 4, 5, 678000),  # noqa: DTZ001
    ),
    "text": ("string", "ü", "ü"),
    "number": ("string", 1.0, "1.0"),
    "object": ("string", {"B": [1, None, "x"], "n": 1.5e7}, '{"B":[1,null,"x"],"n":1.5E7}'),
    "list": ("array<int>", [1, None], [1, None]),
    "map": ("map<string,int>", {"K": 1}, {"K": 1}),
    "struct": (
        *("struct<inner:struct<x:string>,missing:int>", {"Inner": {"X": "y"}, "ignored": 1}),
        {"inner": {"x": "y"}, "missing": None},
    ),
    "absent": ("string", None, None),
}


def test_json_values_fit_their_columns(read: Read) -> None:
    body = json.dumps({name.upper(): written for name, (_, written, _) in FITTING.items()})
    columns = {name: hive for name, (hive, _, _) in FITTING.items()}
    expected = tuple(seen for _, _, seen in FITTING.values())
    assert read(body.encode(), columns, json_storage()) == [expected]


def test_malformed_lines_become_nulls_if_the_table_says_so(read: Read) -> None:
    body = b'{"a": 1}\n{"a": \nnot json\n{"a": 2} trailing'
    assert read(body, {"a": "int"}, IGNORING) == [(1,), (None,), (None,), (None,)]
    for storage in (json_storage(), json_storage(HCATALOG)):
        with pytest.raises(
            QueryError, match=r"HIVE_CURSOR_ERROR: Row is not a valid JSON Object.*line 2"
        ):
            read(body, {"a": "int"}, storage)


def test_a_value_that_does_not_fit_fails(read: Read) -> None:
    with pytest.raises(
        QueryError, match=r'HIVE_BAD_DATA: s3://b/data/1, line 1: a: "x" is no integer'
    ):
        read(b'{"a": "x"}', {"a": "int"}, IGNORING)
    with pytest.raises(QueryError, match="HIVE_BAD_DATA"):
        read(b'{"a": "2026-01-02T03:04:05Z"}', {"a": "timestamp"}, IGNORING)


def test_text_that_duckdb_would_mangle_survives(read: Read) -> None:
    text = 'quote " backslash \\ newline \n tab \t null-ish NULL \u2028 😀 '
    body = json.dumps({"a": text}).encode()
    assert read(body, {"a": "string"}, json_storage()) == [(text,)]


def test_compressed_by_extension(read: Read) -> None:
    body = gzip.compress(b'{"a": 1}\n')
    assert read(body, {"a": "int"}, json_storage(), "data/1.json.gz") == [(1,)]
    for key, message in (("1.bz2", r"reading \.bz2 files"), ("1.gz", "Failed to decompress")):
        with pytest.raises(QueryError, match=message):
            read(body[:-4], {"a": "int"}, json_storage(), key)


def test_serde_properties_we_do_not_know(read: Read) -> None:
    storage = json_storage(**{"mapping.a": "b"})
    with pytest.raises(QueryError, match=r"NOT_SUPPORTED: the SerDe property mapping\.a = b"):
        read(b"{}", {"a": "int"}, storage)
    with pytest.raises(QueryError, match=r"NOT_SUPPORTED: reading tables of SerDe x\.y"):
        read(b"{}", {"a": "int"}, json_storage("x.y"))


RECORD = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::1:role/r"}},
    },
    "requestParameters": {"bucketName": "b", "key": "a b+ü", "delete": ""},
    "responseElements": None,
    "readOnly": False,
    "resources": [{"ARN": "arn:aws:s3:::b", "accountId": "1", "type": "AWS::S3::Bucket"}],
}
TRAIL_COLUMNS = {
    "eventversion": "string",
    "useridentity": (
        "struct<type:string,sessioncontext:struct<sessionissuer:struct<arn:string>>,arn:string>"
    ),
    "requestparameters": "string",
    "responseelements": "string",
    "readonly": "string",
    "resources": "array<struct<arn:string,accountid:string,type:string>>",
}


def test_cloudtrail_records(read: Read) -> None:
    body = gzip.compress(json.dumps({"Records": [RECORD, {}]}).encode())
    rows = read(body, TRAIL_COLUMNS, json_storage(HCATALOG, CLOUDTRAIL), "x.json.gz")
    assert rows == [
        (
            "1.11",
            {
                "type": "AssumedRole",
                "sessioncontext": {"sessionissuer": {"arn": "arn:aws:iam::1:role/r"}},
                "arn": None,
            },
            '{"bucketName":"b","key":"a b+ü","delete":""}',
            None,
            "false",
            [{"arn": "arn:aws:s3:::b", "accountid": "1", "type": "AWS::S3::Bucket"}],
        ),
        (None,) * 6,
    ]


def test_cloudtrail_digests_are_no_records(read: Read) -> None:
    storage = json_storage(HCATALOG, CLOUDTRAIL)
    with pytest.raises(QueryError, match="an object without Records in a CloudTrail table"):
        read(b'{"digestEndTime": "x"}', TRAIL_COLUMNS, storage)
    with pytest.raises(QueryError, match="is not a CloudTrail log file"):
        read(b"{", TRAIL_COLUMNS, storage)


# --- Parquet ---

PARQUET = Storage("s3://b/data", PARQUET_SERDE, PARQUET_INPUT)


def parquet(tmp_path: Path, select: str) -> bytes:
    path = tmp_path / "written.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_parquet_columns_by_name(read: Read, tmp_path: Path) -> None:
    body = parquet(
        tmp_path,
        """SELECT 'x' AS "Name", 1::INTEGER AS small, 2::BIGINT AS big, 1.50::DECIMAL(5,2) AS price,
        DATE '2026-01-02' AS day, [1, NULL]::INTEGER[] AS list, {'a': 1, 'b': ['q']} AS nested,
        MAP(['k'], [1]) AS pairs, 1.5::FLOAT AS f, 7 AS unused""",
    )
    columns = {
        "big": "bigint",
        "small": "bigint",
        "name": "string",
        "price": "decimal(10,2)",
        "day": "date",
        "list": "array<int>",
        "nested": "struct<a:int,b:array<string>>",
        "pairs": "map<string,int>",
        "f": "double",
        "missing": "string",
    }
    assert read(body, columns, PARQUET) == [
        (
            *(2, 1, "x", Decimal("1.50"), date(2026, 1, 2), [1, None]),
            *({"a": 1, "b": ["q"]}, {"k": 1}, 1.5, None),
        )
    ]


@pytest.mark.parametrize(
    "written",
    ["TIMESTAMP '2026-01-02 03:04:05.6785'", "TIMESTAMPTZ '2026-01-02 05:04:05.6785+02:00'"],
)
def test_parquet_timestamps_are_utc_to_the_millisecond(
    read: Read, tmp_path: Path, written: str
) -> None:
    body = parquet(tmp_path, f"SELECT {written} AS ts")
    expected = datetime(2026, 1, 2, 3, 4, 5, 679000)  # noqa: DTZ001
    assert read(body, {"ts": "timestamp"}, PARQUET) == [(expected,)]


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("1::BIGINT", "int"),
        ("1::INTEGER", "string"),
        ("1.50::DECIMAL(5,2)", "decimal(5,1)"),
        ("1.5::DOUBLE", "float"),
        ("{'a': 1}", "struct<b:int>"),
        ("DATE '2026-01-01'", "timestamp"),
    ],
)
def test_parquet_of_another_type(read: Read, tmp_path: Path, written: str, declared: str) -> None:
    body = parquet(tmp_path, f"SELECT {written} AS a")
    with pytest.raises(QueryError, match=r"HIVE_BAD_DATA: Field a's type .* is incompatible with"):
        read(body, {"a": declared}, PARQUET)


def test_what_is_no_parquet(read: Read) -> None:
    with pytest.raises(QueryError, match=r"HIVE_CANNOT_OPEN_SPLIT: s3://b/data/1 is not valid"):
        read(b"hello", {"a": "int"}, PARQUET)


def test_a_session_sees_its_folders_only(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    folder = tmp_path / "own"
    folder.mkdir()
    with Session(folder) as session:
        for statement in (
            f"SELECT * FROM read_csv('{secret}')",
            f"SELECT * FROM read_text('{folder}/../secret.csv')",
            f"ATTACH '{tmp_path}/x.db'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
        ):
            with pytest.raises(QueryError):
                session.run(statement)
        assert session.rows("SELECT 1") == [(1,)]
