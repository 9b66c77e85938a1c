"""What earlier code wrote is read, and judged the same: records, lineage, seal, trail, cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.earlier_evidence import unpack

from custody.cli.main import main

RAW = "s3://custody-local-raw-111122223333/incoming/customers/"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("2026-11-28.tar.xz", tmp_path_factory.mktemp("earlier"))


@pytest.fixture
def custody(evidence: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Run a command as then; its exit status and the documents that it prints.

    What was not written down then is waived, and told in documents of a kind of its own.
    """
    monkeypatch.chdir(evidence)
    monkeypatch.setenv("CUSTODY_SETTINGS", "settings.json")

    def run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        waived = {"deployment"} if arguments[0] != "check" else set()
        waive = [word for gap in waived for word in ("--waive", gap)]
        status = main([*arguments, "--json", "--keys", "keys.json", *waive])
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {row["gap"] for row in told if row["kind"] == "gap"} == waived
        return status, [row for row in told if row["kind"] != "gap"]

    return run


def expected(evidence: Path, name: str) -> list[dict[str, Any]]:
    text = (evidence / "expected" / f"{name}.json").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_seal_is_whole(evidence: Path, custody: Any) -> None:
    told = custody("seal", "--from", "copy")
    assert told == (0, expected(evidence, "seal"))


def test_the_trail_is_proven(evidence: Path, custody: Any) -> None:
    as_of = (evidence / "copy" / "made-at").read_text().strip()
    told = custody("trail", "--from", "copy", "--as-of", as_of)
    assert told == (0, expected(evidence, "trail"))


def test_every_landed_version_is_verified_against_its_records(evidence: Path, custody: Any) -> None:
    status, rows = custody("verify", RAW, "--from", "copy")
    assert (status, rows) == (1, expected(evidence, "verify"))
    # Nine files and two more uploads: one has a forged second record, one has no record.
    assert sorted(row["outcome"] for row in rows if row["kind"] == "version") == [
        "conflict",
        *["ok"] * 9,
        "unrecorded",
    ]


def test_gold_is_traced_to_what_landed(evidence: Path, custody: Any) -> None:
    gold = (evidence / "gold-object").read_text().strip()
    told = custody("trace", f"s3://{gold}", "--from", "copy")
    assert told == (1, expected(evidence, "trace"))


@pytest.mark.parametrize(
    ("file", "status", "name"),
    [("case.zip", 1, "check-case"), ("record.tlog-proof", 0, "check-proof")],
)
def test_a_case_and_a_proof_are_checked(
    evidence: Path, custody: Any, file: str, status: int, name: str
) -> None:
    assert custody("check", file) == (status, expected(evidence, name))
