"""Runs of a job that judges, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from custody.core.runs.files import WrittenFile, files_to_bytes
from custody.core.runs.model import Basis, JudgingRun
from custody.core.runs.report import RunReport

END = datetime(2026, 11, 1, 8, tzinfo=UTC)
RUN = JudgingRun("reconcile", "jr_1", END + timedelta(minutes=35), END - timedelta(hours=4), END)
BASIS = Basis(policy="aa" * 32, trust="bb" * 32, script="cc" * 32, package="dd" * 32)
FILE = WrittenFile(
    "record_checks/dt=2026-11-01/judged=2026-11-01/run=jr_1/a.parquet", "v", "ee" * 32
)
REPORT = RunReport(
    settings={"project": "custody"},
    verdicts={"VERIFIED": 3, "REMOVED": 1},
    found={"rows": [], "unread": [], "watched": []},
)
PARTS = {"report": REPORT.to_bytes(), "files": files_to_bytes([FILE])}
PLACE = "provenance/runs/dt=2026-11-01/jr_1"
