"""A sample becomes a contract that it satisfies, and nobody's work is written over."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import duckdb
import pytest
import yaml
from infra.build import REPOSITORY
from infra.datasets.json_sample import read_json_sample
from infra.datasets.new import files_of, main, next_steps, write
from infra.datasets.sample import BadSample, read_csv_sample
from infra.datasets.scaffold import to_look_at

from custody.core.datasets.contract_fields import ContractError
from custody.core.datasets.contracts import Contract, contract_of
from custody.core.datasets.landed.formats import LandedFormat
from custody.core.datasets.tables import gold_tables

SAMPLE = """\
region,parcel,zip,sent_at,sent_on,weight,pieces,fragile,late,note
N,P1,00123,2026-11-01T10:00:00Z,2026-11-01,1.50,1,yes,TRUE,"a, b"
N,P2,01234,2026-11-01T11:00:00Z,2026-11-02,22.5,20,no,false,
S,P3,12345,2026-11-01T12:30:00Z,2026-11-03,-7,300,No,true,c
S,P3,12345,2026-11-01T12:30:00Z,2026-11-03,0.125,300,No,true,c
"""
CONTRACT = "include/contracts/parcels.odcs.yaml"


def files(folder: Path, text: str, dataset: str = "parcels") -> dict[str, bytes]:
    sample = folder / "sample.csv"
    sample.write_text(text, "utf-8")
    return files_of(dataset, sample)


def contract(made: dict[str, bytes]) -> Contract:
    return contract_of(made[CONTRACT].decode(), CONTRACT)


def test_types_are_those_in_which_no_value_is_lost(tmp_path: Path) -> None:
    made = contract(files(tmp_path, SAMPLE))
    assert {column.name: column.type for column in made.columns} == {
        "region": "string",
        "parcel": "string",
        "zip": "string",  # whose zeros are not lost
        "sent_at": "timestamp",
        "sent_on": "date",
        "weight": "decimal(7,3)",
        "pieces": "bigint",
        "fragile": "boolean",
        "late": "boolean",
        "note": "string",
    }
    assert [column.name for column in made.columns if not column.required] == ["note"]
    fragile = made.columns[7]
    assert (fragile.true_values, fragile.false_values) == (("yes",), ("no",))
    assert made.primary_key == ("weight",)


@pytest.mark.parametrize(
    "value",
    ["17/05/2024", "2024-05-17 10:00:00", "2024-05-17T10:00:00", "1e5", "+1", "1,000", "€5"],
)
def test_what_a_contract_would_reject_stays_a_text(tmp_path: Path, value: str) -> None:
    made = contract(files(tmp_path, f'k,x\n1,"{value}"\n2,"{value}"\n'))
    assert made.columns[1].type == "string"


def test_the_sample_is_a_case_of_the_tests(tmp_path: Path) -> None:
    text = SAMPLE.replace(",weight", ",kilos").replace("0.125", "-7")
    made = files(tmp_path, text)
    assert made["tests/datasets/parcels/landed/sample.csv"].decode() == text
    counts = {"landed": 4, "silver": 3, "duplicate": 1, "quarantined": 0}
    assert yaml.safe_load(made["tests/datasets/parcels/expect.yaml"]) == {
        "day": "2026-11-01",
        "files": {"sample.csv": counts},
    }


def test_the_query_makes_what_the_contract_says(tmp_path: Path) -> None:
    made = files(tmp_path, SAMPLE)
    (table,) = gold_tables(contract(made))
    assert (table.folder, table.columns) == ("gold/parcels_total", (("total_rows", "bigint"),))
    assert b"SELECT COUNT(*) AS total_rows" in made["include/sql/gold/parcels_total.sql"]


def test_people_are_told_what_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text(SAMPLE.replace("0.125", "-7"), "utf-8")
    people, *found = to_look_at(read_csv_sample(tmp_path / "sample.csv"))
    assert "about people?" in people
    assert found == [
        "no column differs in every row; parcel is the key until you say another",
        "zip has digits and stays a text: its zeros would be lost",
        "weight is decimal(6,2): what has more digits is rejected",
        "note may be left out, as the sample does",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "sample.csv: there is no row"),
        ("a,b\n", "sample.csv: there is no row"),
        ("a,b\n1,2\n3,4,5\n", "sample.csv.*: not CSV that .* by commas"),
        ('a;b\n"x;1\n2;3\n', "sample.csv: not CSV that .* by semicolons"),
        ("a,b\n\x00\xff", "sample.csv"),
    ],
)
def test_a_sample_that_is_none_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(BadSample, match=why):
        files(tmp_path, text)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "gz"])
def test_a_sample_that_is_no_text_is_refused_by_its_line(tmp_path: Path, suffix: str) -> None:
    sample = tmp_path / f"sample.{suffix}"
    sample.write_bytes(b'{"a": 1}\n{"a": "M\xfcller"}\n')
    with pytest.raises(BadSample, match=rf"sample\.{suffix}, line 2: not UTF-8"):
        files_of("parcels", sample)


def test_a_sample_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "sample.csv"):
        with pytest.raises(BadSample, match=f"{place}: there is no such file"):
            files_of("parcels", place)


@pytest.mark.parametrize(
    ("delimiter", "words"), [(",", "commas"), (";", "semicolons"), ("|", "bars"), ("\t", "tabs")]
)
def test_csv_is_read_by_what_stands_in_its_header(
    tmp_path: Path, delimiter: str, words: str
) -> None:
    made = contract(files(tmp_path, f"id{delimiter}name\n1{delimiter}x\n"))
    assert made.format == LandedFormat("csv", delimiter=delimiter)
    assert words in made.format.in_words
    assert made.header == ("id", "name")


def test_the_contract_says_where_the_files_land(tmp_path: Path) -> None:
    (server,) = yaml.safe_load(files(tmp_path, SAMPLE)[CONTRACT])["servers"]
    assert server["location"] == "s3://{raw_bucket}/incoming/parcels/dt={dt}/"


def test_the_next_steps_are_there(tmp_path: Path) -> None:
    said = "\n".join(next_steps("parcels"))
    targets = re.findall(r"^make ([a-z-]+)", said, re.MULTILINE)
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    assert targets == ["check-contracts", "datasets", "test-fast"]
    assert all(f"\n{target}:" in makefile for target in targets)
    for place in re.findall(r"\b(?:tests|docs)/[\w/.]+", said):
        assert (REPOSITORY / place).exists()


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        (("", ""), 2, "usage: make new-dataset NAME=<dataset> SAMPLE=<file>"),
        (("parcels", ""), 2, "it takes the dataset's name"),
        (("parcels", "no.csv"), "new-dataset: no.csv: there is no such file", ""),
    ],
)
def test_what_was_typed_wrong_is_told_as_it_is_typed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, str],
    status: object,
    told: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["new.py", *given])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == status
    assert told in capsys.readouterr().err


def test_names_that_no_table_can_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSample, match=r"sample\.csv: 'Order Id' is not a name.*makes the file"):
        files(tmp_path, "Order Id,b\n1,2\n")
    with pytest.raises(ContractError, match="NAME: 'or-ders' is not a name"):
        files(tmp_path, "a,b\n1,2\n", dataset="or-ders")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    made = files(tmp_path, SAMPLE)
    write(tmp_path, made)
    assert (tmp_path / CONTRACT).read_bytes() == made[CONTRACT]
    (tmp_path / "include/sql/gold/parcels_total.sql").unlink()
    with pytest.raises(FileExistsError, match=r"parcels\.odcs\.yaml, tests/.*Take another NAME"):
        write(tmp_path, made)
    assert not (tmp_path / "include/sql/gold/parcels_total.sql").exists()


JSON_SAMPLE = """\
{"parcel": "P1", "zip": "00123", "weight": 1.50, "fragile": true, "sent_on": "2026-11-01"}
{"parcel": "P2", "zip": "01234", "weight": 22.5, "fragile": false, "note": "a, \\"b\\""}
"""


def of_json(folder: Path, text: str) -> dict[str, bytes]:
    sample = folder / "sample.jsonl"
    sample.write_text(text, "utf-8")
    return files_of("parcels", sample)


def test_a_sample_of_json_lines_says_the_same(tmp_path: Path) -> None:
    made = of_json(tmp_path, JSON_SAMPLE)

    assert contract(made).format == LandedFormat("json")
    assert {column.name: (column.type, column.required) for column in contract(made).columns} == {
        "parcel": ("string", True),
        "zip": ("string", True),
        "weight": ("decimal(6,2)", True),
        "fragile": ("boolean", True),
        "sent_on": ("date", False),
        "note": ("string", False),
    }
    assert made["tests/datasets/parcels/landed/sample.jsonl"].decode() == JSON_SAMPLE
    assert "sample.jsonl" in yaml.safe_load(made["tests/datasets/parcels/expect.yaml"])["files"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"parcel": 1}', "line 3: parcel is of another kind than before"),
        ('{"parcel": "P3", "lines": {"n": 1}}', "line 3: lines is nested"),
        ('{"parcel": "P3", "lines": []}', "lines has no item in any row"),
        ('{"parcel": "P3", "lines": [1]}', "line 3: lines has an item that is no object"),
        ('{"parcel": "P3", "lines": [{"n": [1]}]}', "lines has arrays in its items"),
        ('{"parcel": "P3", "lines": [{"n": 1}, {"n": "x"}]}', "line 3: n is of another kind"),
        ('{"parcel": "P3", "lines": [{"n": null}]}', "n is null in every row"),
        ('{"parcel": "P3", "late": null}', "late is null in every row"),
        ('{"parcel": "P3", "pieces": 1e5}', "pieces has numbers that no contract reads"),
        ('{"parcel": "P3", "": 1}', r"sample\.jsonl: a column has no name"),
        ('{"parcel": "P3", "Parcel": "P4"}', r"sample\.jsonl: a column has no name, or that of"),
        ("[1]", "line 3: expected an object"),
        ("parcel", "line 3: Expecting value.*each line is one object"),
    ],
)
def test_what_no_contract_can_describe_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(BadSample, match=problem):
        of_json(tmp_path, JSON_SAMPLE + line + "\n")


def test_an_array_of_objects_is_a_table_of_its_items(tmp_path: Path) -> None:
    text = (
        '{"order": "O1", "lines": [{"product": "007", "n": 1}, {"n": 2}], "day": "2026-11-01"}\n'
        '{"order": "O2", "lines": []}\n'
        '{"order": "O3", "lines": null}\n'
    )
    made = contract(of_json(tmp_path, text))
    (lines,) = made.arrays
    assert [column.name for column in made.columns] == ["order", "day"]
    assert (lines.name, lines.required, lines.min_items, lines.max_items) == ("lines", False, 0, 20)
    assert [(column.name, column.type, column.required) for column in lines.columns] == [
        ("product", "string", False),
        ("n", "bigint", True),
    ]
    assert list(to_look_at(read_json_sample(tmp_path / "sample.jsonl")))[1:] == [
        "order is the key, as it is given and differs in every row: is it meant to?",
        "day may be left out, as the sample does",
        "lines is a table of its own, a row for each item",
        "lines.product has digits and stays a text: its zeros would be lost",
        "lines.product may be left out, as the sample does",
    ]


def of_parquet(folder: Path, columns: str) -> dict[str, bytes]:
    """What is made of a sample that has these columns."""
    sample = folder / "sample.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {columns}) TO '{sample}' (FORMAT parquet)")
    return files_of("parcels", sample)


def test_a_sample_of_parquet_says_its_types_itself(tmp_path: Path) -> None:
    moment = "make_timestamp(1793466309000000)::TIMESTAMPTZ"
    made = of_parquet(
        tmp_path,
        f"unnest(['P1', 'P2']) AS parcel, '0042' AS zip, {moment} AS sent_at, "
        "DATE '2026-11-01' AS sent_on, 1.50::DECIMAL(6,2) AS weight, 3::USMALLINT AS pieces, "
        "7::UINTEGER AS number, NULL::BOOLEAN AS late, true AS fragile, 5::BIGINT AS total",
    )

    assert contract(made).format == LandedFormat("parquet")
    assert {column.name: (column.type, column.required) for column in contract(made).columns} == {
        "parcel": ("string", True),
        "zip": ("string", True),
        "sent_at": ("timestamp", True),
        "sent_on": ("date", True),
        "weight": ("decimal(6,2)", True),
        "pieces": ("int", True),
        "number": ("bigint", True),
        "late": ("boolean", False),
        "fragile": ("boolean", True),
        "total": ("bigint", True),
    }
    properties = yaml.safe_load(made[CONTRACT])["schema"][0]["properties"]
    assert [item["examples"] for item in properties[2:5]] == [
        ["2026-10-31T17:05:09Z"],
        ["2026-11-01"],
        ["1.50"],
    ]
    assert yaml.safe_load(made["tests/datasets/parcels/expect.yaml"])["files"] == {
        "sample.parquet": {"landed": 2, "silver": 2, "duplicate": 0, "quarantined": 0}
    }


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("1.5::DOUBLE AS weight", "weight is DOUBLE: its numbers would be rounded"),
        ("make_timestamp(0) AS at", "at is TIMESTAMP: its times are of no zone"),
        ("make_timestamp(500000)::TIMESTAMPTZ AS at", "at has times finer than a second"),
        ("[1] AS lines", r"lines is INTEGER\[\]: no contract has a column of it"),
        ("1::UBIGINT AS n", "n is UBIGINT: no contract has a column of it"),
        ("'a'::BLOB AS raw", "raw is BLOB: no contract has a column of it"),
        ("1 AS n WHERE false", "there is no row in it"),
    ],
)
def test_parquet_that_no_contract_can_describe_is_refused(
    tmp_path: Path, column: str, problem: str
) -> None:
    with pytest.raises(BadSample, match=problem):
        of_parquet(tmp_path, column)


def test_what_is_called_parquet_and_is_none_is_refused(tmp_path: Path) -> None:
    sample = tmp_path / "sample.parquet"
    sample.write_bytes(b"id,name\n1,x\n")
    with pytest.raises(BadSample, match=r"sample\.parquet"):
        files_of("parcels", sample)


@pytest.mark.parametrize("header", ["id,id", "id,", "id, ,x"])
def test_a_column_without_a_name_of_its_own_is_refused(tmp_path: Path, header: str) -> None:
    """DuckDB would give it one that no file has."""
    with pytest.raises(BadSample, match=r"sample\.csv: "):
        files(tmp_path, f"{header}\n" + ",".join("1" for _ in header.split(",")) + "\n")


def test_no_other_file_is_read(tmp_path: Path) -> None:
    """What stands in a contract is of the sample, however that is called."""
    (tmp_path / "a1.csv").write_text("other,file\n1,2\n", "utf-8")
    sample = tmp_path / "a[1].csv"
    sample.write_text("id,name\n1,x\n", "utf-8")
    made = contract(files_of("parcels", sample))
    assert [column.name for column in made.columns] == ["id", "name"]
