"""A run's report: the settings that it judged by, in full, and what it found.

JSON in one canonical form; the run's statement has its SHA-256.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from custody.core.formats.canonical_json import canonical_json
from custody.core.formats.untrusted import Fields, MalformedInput, load_json

VERSION: Final = 1
MAX_ASKED: Final = 8 * 1024
"""Characters that are kept of what Airflow says of how a run came to be."""
MAX_REPORT_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run judged by (`settings`, as the deployment gave them), how many rows it wrote of
    each verdict, and what it `found` that people may have to be told
    (`custody.core.paging.found`). Claims are `asked`, what Airflow says of who asked for it, and
    how, as JSON; and `airflow`, what people did there since the run before by its own audit log
    (`custody.core.runs.airflow_log`); None of runs that did not ask. `sweep` is what an audit knows
    of versions without a record (`custody.core.ledger.kinds.sweep`); None of other runs, and of
    audits before there was one."""

    settings: Mapping[str, object]
    verdicts: Mapping[str, int]
    found: Mapping[str, object]
    asked: str = ""
    sweep: Mapping[str, object] | None = None
    airflow: Mapping[str, object] | None = None

    def to_bytes(self) -> bytes:
        document: dict[str, object] = {
            "v": VERSION,
            "settings": dict(self.settings),
            "verdicts": dict(self.verdicts),
            "found": dict(self.found),
            "asked": self.asked,
        }
        if self.sweep is not None:
            document["sweep"] = dict(self.sweep)
        if self.airflow is not None:
            document["airflow"] = dict(self.airflow)
        return canonical_json(document)

    @classmethod
    def parse(cls, raw: bytes) -> RunReport:
        """Read a report; raises `MalformedInput`."""
        report = Fields.of(load_json(raw, what="report", max_bytes=MAX_REPORT_BYTES), "report")
        if (version := report.count("v")) != VERSION:
            raise MalformedInput("report.v", f"is {version}; this program knows {VERSION}")
        counts = report.child("verdicts")
        return cls(
            settings=report.child("settings").values,
            verdicts={verdict: counts.count(verdict) for verdict in counts.values},
            found=report.child("found").values,
            asked=report.text("asked", max_length=MAX_ASKED) if report.values.get("asked") else "",
            sweep=report.child("sweep").values if report.has("sweep") else None,
            airflow=report.child("airflow").values if report.has("airflow") else None,
        )


def asked_for(order: Mapping[str, object]) -> str:
    """What Airflow says, in the `order` that it gave a job, of who asked for the run and how."""
    asked = order.get("asked")
    if asked is None:
        return ""
    return json.dumps(asked, sort_keys=True)[:MAX_ASKED]
