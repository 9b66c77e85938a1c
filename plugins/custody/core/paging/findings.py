"""Findings: the rows of the ledger that page, how they are read, and what is remembered of them.

A finding is one verdict about one object version, and its fingerprint identifies it for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from custody.core.formats.columns import Column
from custody.core.formats.timestamps import parse_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.tables import COLUMNS
from custody.core.ledger.verdicts import Verdict

SEVERITIES: Final[Mapping[str, str]] = {
    Verdict.TRAIL_BROKEN.value: "critical",
    Verdict.ALTERED.value: "critical",
    Verdict.BAD_SIGNATURE.value: "critical",
    Verdict.CONFLICT.value: "critical",
    Verdict.UNWITNESSED.value: "critical",
    Verdict.REMOVED.value: "high",
    Verdict.UNEXPECTED_PRINCIPAL.value: "high",
    Verdict.CONTROL_CHANGED.value: "high",
    Verdict.UNRECORDED.value: "high",
    Verdict.UNCOSIGNED.value: "high",
    Verdict.UNBUILT.value: "high",
}
"""How urgent each verdict that pages is, the most urgent first. Others do not page."""

READ_LIMIT: Final = 500
"""Findings read per cause (verdict and principal) and window, those first that nobody was told of.
Beyond it only their number is known, until the next run."""

MAX_TOLD: Final = 100_000
"""Pages of which a run sees that people have had them: more cannot make way for what is new."""

MAX_WATCHED: Final = 1500
"""Open pages that one run may resolve. Each is read by itself, and asked for by two texts of a
Spark query."""

Cause = tuple[str, str | None]
"""What findings that come by the thousand have in common: verdict and principal."""

_DOCUMENT: Final[Mapping[str, str]] = {
    "verdict": "verdict",
    "bucket": "bucket",
    "key": "object_key",
    "version_id": "version_id",
    "principal_arn": "principal_arn",
    "event_time": "event_time",
    "reason": "verdict_reason",
    "fingerprint": "fingerprint",
    "event_name": "event_name",
    "principal_type": "principal_type",
    "source_ip": "source_ip",
    "user_agent": "user_agent",
    "pipeline_layer": "pipeline_layer",
    "sha256": "sha256",
    "event_id": "event_id",
    "request_id": "request_id",
    "record_key": "record_key",
    "log_key": "log_key",
    "digest_key": "digest_key",
}
"""What pages and the memory of them say of a row: names in JSON, and the columns they stand for."""


@dataclass(frozen=True)
class PageState:
    """What people were last told of a finding."""

    finding: LedgerRow
    is_open: bool

    def to_json(self) -> dict[str, object]:
        """JSON values that `from_json` reads back."""
        return {"open": self.is_open, "finding": document_of_row(self.finding)}

    @classmethod
    def from_json(cls, value: object) -> PageState:
        """Raises `ValueError` if `value` is no state of a page."""
        state = Fields.of(value, "page")
        is_open = state.values.get("open")
        if not isinstance(is_open, bool):
            raise MalformedInput("page.open", "must be true or false")
        found = state.child("finding").values
        return cls(read_row({_DOCUMENT.get(n, n): v for n, v in found.items()}), is_open)


def is_finding(row: LedgerRow) -> bool:
    """Whether a row of the ledger pages."""
    return row.verdict in SEVERITIES


def cause_of(row: LedgerRow) -> Cause:
    """The cause that a finding is counted under."""
    return row.verdict, row.principal_arn


def moment(row: LedgerRow) -> str:
    """When it happened, in UTC to the second, as pages say it."""
    return f"{row.event_time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def document_of_row(row: LedgerRow) -> dict[str, str | None]:
    """What pages say of a row, as JSON values by name."""
    return {
        name: moment(row) if column == "event_time" else getattr(row, column)
        for name, column in _DOCUMENT.items()
    }


def read_row(values: Mapping[str, object]) -> LedgerRow:
    """A row of the ledger from texts, by column; what is not there is NULL.

    Raises `ValueError` naming a column without the text that every row has, or whose text is of
    the wrong form, or if there is no such verdict.
    """
    row = {column.name: _value(column, values.get(column.name)) for column in COLUMNS["ledger"]}
    Verdict(str(row["verdict"]))
    return LedgerRow(**row)  # type: ignore[arg-type]  # each value is of its column's type


def _value(column: Column, text: object) -> str | int | datetime | None:
    if text is None or text == "":
        if not column.nullable:
            raise ValueError(f"a finding without {column.name}")
        return None
    if not isinstance(text, str):
        raise MalformedInput(f"{column.name} of a finding", "must be a text")
    match column.type:
        case "TIMESTAMP":
            return parse_utc(text)
        case "BIGINT":
            return int(text)
    return text
