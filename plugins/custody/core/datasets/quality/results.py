"""What became of a rule on a day: a row of the table `quality_results`, kept as a line of JSON.

The results of a run lie in a place of its own, an object for each table, among what its signed
lineage says it wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from custody.core.formats.untrusted import Fields, MalformedInput, load_json

RESULTS_PREFIX: Final = "quality/results/"
MAX_RESULTS_BYTES: Final = 1024 * 1024
"""A thousand rules, whose lines take less than 1 KiB each."""

_KEY: Final = re.compile(
    RESULTS_PREFIX + r"dt=(\d{4}-\d{2}-\d{2})/run=([A-Za-z0-9_-]{1,255})/([a-z0-9_]+)\.json",
    re.ASCII,
)


class Outcome(StrEnum):
    """What became of a rule: `failed` publishes nothing, `warned` does, and `skipped` had nothing
    to compare with."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class QualityResult:
    """A rule of a table, and what was found for it. `found` is a number as text, None where there
    is none; `row_count` is how many rows the table has that day; `judged_at` is UTC, like
    `2026-11-01T06:00:00.000Z`."""

    dataset: str
    table_name: str
    rule: str
    dimension: str | None
    severity: str
    outcome: str
    found: str | None
    unit: str
    expected: str
    compared_with: str | None
    row_count: int
    run: str
    contract_version: str
    judged_at: str

    @property
    def has_failed(self) -> bool:
        return self.outcome == Outcome.FAILED

    def __str__(self) -> str:
        found = "nothing" if self.found is None else f"{self.found} {self.unit}".rstrip()
        return f"{self.table_name}, {self.rule}: expected {self.expected}, found {found}"


def results_key(dt: str, run_id: str, table: str) -> str:
    """The key, in the analytics bucket, of what a run found of a table."""
    return f"{results_of_run(dt, run_id)}{table}.json"


def results_of_run(dt: str, run_id: str) -> str:
    """What the keys of a run's results begin with."""
    return f"{results_of_day(dt)}run={run_id}/"


def results_of_day(dt: str) -> str:
    """What the keys of a day's results begin with."""
    return f"{RESULTS_PREFIX}dt={dt}/"


def place_of(key: str) -> tuple[str, str, str] | None:
    """Day, run and table of results by their key; None for the key of anything else."""
    found = _KEY.fullmatch(key)
    return None if found is None else (found[1], found[2], found[3])


def to_bytes(results: Iterable[QualityResult]) -> bytes:
    """The object: a JSON line for each rule."""
    return "".join(f"{json.dumps(asdict(result))}\n" for result in results).encode()


def parse(body: bytes, key: str) -> tuple[QualityResult, ...]:
    """The results in the object of that key; raises `MalformedInput`.

    Refuses those of another run or table than the key says.
    """
    if len(body) > MAX_RESULTS_BYTES:
        raise MalformedInput(key, f"is longer than the {MAX_RESULTS_BYTES} bytes accepted")
    results = tuple(
        _line(Fields.of(load_json(line, what=key, max_bytes=MAX_RESULTS_BYTES), key))
        for line in body.splitlines()
    )
    place = place_of(key)
    if not results or any(
        (result.run, result.table_name) != (place or ())[1:] for result in results
    ):
        raise MalformedInput(key, "does not hold the results of its run and table")
    return results


def _line(given: Fields) -> QualityResult:
    return QualityResult(
        dataset=given.text("dataset"),
        table_name=given.text("table_name"),
        rule=given.text("rule"),
        dimension=given.optional_text("dimension"),
        severity=given.text("severity"),
        outcome=given.text("outcome"),
        found=given.optional_text("found"),
        unit=given.optional_text("unit") or "",
        expected=given.text("expected"),
        compared_with=given.optional_text("compared_with"),
        row_count=given.count("row_count"),
        run=given.text("run"),
        contract_version=given.text("contract_version"),
        judged_at=given.text("judged_at"),
    )


def as_table(results: Sequence[QualityResult]) -> list[str]:
    """The results for people, a line each below a head, in columns."""
    head = ("table", "rule", "severity", "outcome", "found", "expected")
    rows = [
        (
            result.table_name,
            result.rule,
            result.severity,
            result.outcome,
            "" if result.found is None else f"{result.found} {result.unit}".rstrip(),
            result.expected
            + (f" (compared with {result.compared_with})" if result.compared_with else ""),
        )
        for result in results
    ]
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
