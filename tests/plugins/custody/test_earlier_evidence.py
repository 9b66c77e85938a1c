"""What earlier code wrote is read, and judged the same: records, lineage, seal, trail, cases."""

from __future__ import annotations

import hashlib
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


def gaps_of(arguments: tuple[str, ...]) -> set[str]:
    """What was not written down then."""
    match arguments:
        case ("check", "case.zip"):
            return {"deployment", "bytes", "proof", "seal"}
        case ("check", *_):
            return set()
    return {"deployment"}


@pytest.fixture
def custody(evidence: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Run a command as then; its exit status and the documents that it prints.

    What was not written down then is waived, and told in documents of a kind of its own.
    """
    monkeypatch.chdir(evidence)
    monkeypatch.setenv("CUSTODY_SETTINGS", "settings.json")

    def run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        waived = gaps_of(arguments)
        waive = [word for gap in sorted(waived) for word in ("--waive", gap)]
        status = main([*arguments, "--json", "--keys", "keys.json", *waive])
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {row["gap"] for row in told if row["kind"] == "gap"} == waived
        return status, [row for row in told if row["kind"] != "gap"]

    return run


def sha256_of(row: dict[str, Any]) -> str:
    content = Path("copy", row["bucket"], row["key"]).read_bytes()
    return hashlib.sha256(content).hexdigest()


def expected(evidence: Path, name: str) -> list[dict[str, Any]]:
    text = (evidence / "expected" / f"{name}.json").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_seal_is_whole(evidence: Path, custody: Any) -> None:
    status, told = custody("seal", "--from", "copy")
    # Nobody cosigned then; what is said since says so.
    assert told[-1].pop("cosigned", "unsaid") is None
    assert (status, told) == (0, expected(evidence, "seal"))


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
    status, rows = custody("trace", f"s3://{gold}", "--from", "copy")
    told_then = expected(evidence, "trace")
    kept = [row for row in rows if row["kind"] not in {"made", "finding"}]  # since
    for row, then in zip(kept, told_then, strict=True):
        if row["kind"] == "landed":  # whose bytes are compared since
            assert (then["sha256_found"], row["sha256_found"]) == (None, sha256_of(row))
            changed = {"sha256_found"} | ({"reason"} if row["outcome"] == "ok" else set())
            row.update({name: then[name] for name in changed})
    assert (status, kept) == (1, told_then)
    assert [row["outcome"] for row in rows if row["kind"] == "made"] == ["ok"]
    (finding,) = (row for row in rows if row["kind"] == "finding")
    assert "partner-feed.csv" in finding["reason"]


@pytest.mark.parametrize(
    ("check", "status", "name"),
    [
        (["case.zip"], 1, "check-case"),
        (
            [
                "record.tlog-proof",
                "--about",
                f"{RAW}dt=2026-11-01/crm-export.csv",
                "--version-id",
                "f36a6a9d-c1fc-414b-a801-597926880f72",
            ],
            0,
            "check-proof",
        ),
    ],
)
def test_a_case_and_a_proof_are_checked(
    evidence: Path, custody: Any, check: list[str], status: int, name: str
) -> None:
    assert custody("check", *check) == (status, expected(evidence, name))
