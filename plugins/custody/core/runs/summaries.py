"""What runs state, in few words and many at once: an audit gathers those of the day before.

Whoever looks at months reads an object a day in the place of two a run. JSON in one form; the
audit's statement has its SHA-256 (docs/adr/103-an-audit-sums-up-the-day-before.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from custody.core.formats.canonical_json import canonical_json
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.runs.model import JudgingRun
from custody.core.runs.report import MAX_REPORT_BYTES, RunReport
from custody.core.runs.statement import RunStatement, document_of, run_of
from custody.objects import ObjectVersion

VERSION: Final = 1
MAX_BYTES: Final = MAX_REPORT_BYTES // 4
_MAX_RUNS: Final = 100_000


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run and its own word: by which settings it judged (`policy`, their SHA-256), how many rows
    it wrote of each verdict, what it `found`, and what people did in `airflow`, both as the
    report has them."""

    run: JudgingRun
    policy: str
    verdicts: Mapping[str, int]
    found: Mapping[str, object]
    airflow: Mapping[str, object] | None = None

    @classmethod
    def of(cls, statement: RunStatement, report: RunReport) -> RunSummary:
        """The summary of what a run states."""
        policy = statement.basis.policy
        return cls(statement.run, policy, report.verdicts, report.found, report.airflow)


def to_bytes(summaries: Mapping[ObjectVersion, RunSummary]) -> bytes:
    """Summaries as they are kept, each by the version of the statement that it is of.

    Of many, or long ones, those that `MAX_BYTES` have room for: the others have to be read.
    """
    told, room = list[bytes](), MAX_BYTES
    for version, summary in sorted(summaries.items(), key=lambda each: str(each[0])):
        text = canonical_json(_document(version, summary))
        if len(text) < room - 100:
            told.append(text)
            room -= len(text) + 1
    return b'{"runs":[%b],"v":%d}' % (b",".join(told), VERSION)


def from_bytes(raw: bytes, bucket: str) -> dict[ObjectVersion, RunSummary]:
    """Summaries of runs that are stated in `bucket`; raises `MalformedInput`."""
    fields = Fields.of(load_json(raw, what="runs", max_bytes=MAX_BYTES), "runs")
    if (version := fields.count("v")) != VERSION:
        raise MalformedInput("runs.v", f"is {version}; this program knows {VERSION}")
    told = (Fields.of(item, "runs.runs") for item in fields.items("runs", max_items=_MAX_RUNS))
    return dict(_read(each, bucket) for each in told)


def _document(version: ObjectVersion, summary: RunSummary) -> dict[str, object]:
    document: dict[str, object] = {
        "statement": version.version_id,
        "run": document_of(summary.run),
        "policy": summary.policy,
        "verdicts": dict(summary.verdicts),
        "found": dict(summary.found),
    }
    if summary.airflow is not None:
        document["airflow"] = dict(summary.airflow)
    return document


def _read(told: Fields, bucket: str) -> tuple[ObjectVersion, RunSummary]:
    run, counts = run_of(told.child("run")), told.child("verdicts")
    summary = RunSummary(
        run=run,
        policy=told.sha256("policy"),
        verdicts={verdict: counts.count(verdict) for verdict in counts.values},
        found=told.child("found").values,
        airflow=told.child("airflow").values if told.has("airflow") else None,
    )
    return ObjectVersion(bucket, run.statement_key, told.text("statement")), summary
