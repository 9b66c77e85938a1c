"""The format of landed files is the contract's to say."""

from __future__ import annotations

import pytest
from tests.support.contracts import FOLDER

from custody.core.datasets.contract_fields import ContractError, Place
from custody.core.datasets.contracts import contract_of
from custody.core.datasets.landed.formats import CSV, LandedFormat, read_format
from custody.core.datasets.landed.text import BrokenFileError

GZIP = {"property": "compression", "value": "gzip"}
JSON = {"server": "landing", "type": "s3", "format": "json", "delimiter": "new_line"}


def test_a_contract_that_names_no_server_lands_csv() -> None:
    text = (FOLDER / "customers.odcs.yaml").read_text("utf-8")

    assert contract_of(text, "customers").format == CSV == read_format((), Place())


def test_a_server_says_how_files_are_written() -> None:
    csv = {"server": "landing", "type": "s3", "location": "s3://x/", "encoding": "UTF-8"}

    assert read_format([csv], Place()) == CSV
    by_bars = {**csv, "customProperties": [{"property": "csvDelimiter", "value": "|"}]}
    assert read_format([by_bars], Place()) == LandedFormat(delimiter="|")
    assert read_format([JSON], Place()) == LandedFormat("json")
    parquet = read_format([{"type": "s3", "format": "parquet"}], Place())
    assert (parquet, parquet.has_lines) == (LandedFormat("parquet"), False)
    packed = {**JSON, "customProperties": [GZIP]}
    assert read_format([packed], Place()) == LandedFormat("json", gzip=True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "kafka"}, "type"),
        ({"format": "avro"}, "format"),
        ({"format": ["json"]}, "format"),
        ({"delimiter": "array"}, "delimiter"),
        ({"delimiter": None}, "delimiter"),
        ({"format": "csv"}, "delimiter"),
        ({"format": "parquet"}, "delimiter"),
        ({"encoding": "ISO-8859-1"}, "encoding"),
        ({"endpointUrl": "https://minio.example.com"}, "endpointUrl"),
        ({"customProperties": [{**GZIP, "value": "zstd"}]}, "compression"),
        ({"customProperties": [{**GZIP, "value": ["gzip"]}]}, "compression"),
        ({"customProperties": [{**GZIP, "property": "quote"}]}, "property"),
        ({"customProperties": [{"property": "csvDelimiter", "value": ";"}]}, "property"),
    ],
)
def test_what_nobody_reads_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(ContractError) as error:
        read_format([JSON | change], Place() / "servers")

    assert str(error.value.place).endswith(field)


def test_parquet_packs_its_own_pages() -> None:
    server = {"type": "s3", "format": "parquet", "customProperties": [GZIP]}
    with pytest.raises(ContractError, match="compression"):
        read_format([server], Place())
    with pytest.raises(BrokenFileError, match=r"file\.packed"):
        LandedFormat("parquet").is_packed("a.parquet.gz")


@pytest.mark.parametrize("delimiter", ["", "a", '"', "\n", "::", ["|"], None])
def test_not_every_sign_can_stand_between_fields(delimiter: object) -> None:
    custom = [{"property": "csvDelimiter", "value": delimiter}]
    with pytest.raises(ContractError, match="csvDelimiter: expected one of"):
        read_format([{"type": "s3", "customProperties": custom}], Place())


def test_one_server_is_where_files_land() -> None:
    with pytest.raises(ContractError, match="servers: expected one server"):
        read_format([JSON, JSON], Place() / "servers")


@pytest.mark.parametrize(
    ("key", "packed"),
    [("dt=2026-11-01/a.csv.gz", True), ("a.JSONL.GZ", True), ("a.csv", False), ("a.gz/b", False)],
)
def test_a_name_says_whether_a_file_is_packed(key: str, *, packed: bool) -> None:
    assert LandedFormat(gzip=True).is_packed(key) is packed


def test_a_packed_file_that_nobody_agreed_on_is_refused() -> None:
    with pytest.raises(BrokenFileError, match=r"file\.packed"):
        CSV.is_packed("a.csv.gz")
