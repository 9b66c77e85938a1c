"""Following a runbook to the letter: its commands and queries, with the values of one finding."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Final

from custody.core.console.runbook import filled, values_of
from custody.core.ledger.rows import LedgerRow
from custody.core.paging.findings import PageState
from rehearsal.machine import REPOSITORY
from rehearsal.observing import QueryFailed, query
from rehearsal.platform import ADMIN, Platform

_FENCE: Final = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(r"^\$ (.*(?:\n(?!\$ ).*)*)", re.MULTILINE)
_OPEN: Final = re.compile(r"<[A-Za-z_][^<>\n]*>")
_LOOKS: Final = re.compile(r"aws |sha256sum ")
"""What needs nothing but AWS; the rest (`custody`, `make`) has tests of its own."""

_HASHES: Final = "sha256sum bytes"
"""Of each finding its own."""

_MENDING: Final = re.compile(r"^## (Put it right|Close it|How it resolves)", re.MULTILINE)
"""From here on a runbook changes things; the cause is found before."""

_BREAKABLE: Final = re.compile(r"FROM (?:cloudtrail_logs|hash_records)\b")
"""The tables whose files somebody may have broken; what the jobs write is written once."""

_CONDITIONS_END: Final = re.compile(r"\n(?:ORDER|GROUP) BY|\s*\Z")
_BROKEN: Final = re.compile(
    r"^HIVE_(?:CURSOR_ERROR|BAD_DATA|CANNOT_OPEN_SPLIT): .*?(s3://\S+?)[:,]? "
)
"""What Athena says when it cannot read a file."""

_WHOSE: Final = ("arn", "principal_arn")
"""The columns of the tables that say whose call it was."""


@dataclass(frozen=True, slots=True)
class Walk:
    """All that somebody reads who follows a runbook: what each step of it answers."""

    answers: tuple[str, ...]

    def shows(self, who: str, call: str) -> bool:
        """Whether one row or event tells of a call (by its name, or its event's id) and that this
        was its caller."""
        return any(
            who in (row.get(name) for name in _WHOSE) and call in row.values()
            for answer in self.answers
            for row in _rows(answer)
        )


def _rows(answer: str) -> Iterator[Mapping[str, object]]:
    """The rows of a query, or the events that CloudTrail has kept."""
    try:
        told = json.loads(answer)
    except ValueError:
        return
    if isinstance(told, list):
        yield from told
    elif isinstance(told, dict):
        for kept in told.get("Events", []):
            event = json.loads(kept["CloudTrailEvent"])
            yield {name: event.get(name) for name in ("eventName", "eventID")} | {
                "arn": event["userIdentity"].get("arn")
            }


def row_of_page(body: Mapping[str, Any]) -> LedgerRow:
    """The finding that a page tells of."""
    told = {**body, **body["evidence"]}
    return PageState.from_json({"open": True, "finding": told}).finding


def steps(finding: LedgerRow, settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each command and query of the finding's runbook that is to find the cause, with its language;
    those whose every value is known."""
    text = (REPOSITORY / "docs" / "runbooks" / f"{finding.verdict.lower()}.md").read_text("utf-8")
    values = values_of(finding, settings)
    for language, code in _FENCE.findall(_MENDING.split(text)[0]):
        done = filled(dedent(code), language, values)
        each = [done] if language == "sql" else _COMMAND.findall(done)
        known = (one for one in each if not _OPEN.search(one))
        yield from ((language, one) for one in known if language == "sql" or _LOOKS.match(one))


class Walker:
    """Somebody on call, who runs no command twice."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._said: dict[str, str] = {}
        self._broken: list[str] = []

    def walk(self, finding: LedgerRow) -> Walk:
        """Follow a finding's runbook; raises what a query raises."""
        settings = {name: str(value) for name, value in self._platform.settings.items()}
        with tempfile.TemporaryDirectory() as folder:
            return Walk(
                tuple(
                    self._done(language, step, folder)
                    for language, step in steps(finding, settings)
                )
            )

    def _done(self, language: str, step: str, folder: str) -> str:
        if step in self._said and step.strip() != _HASHES:
            return self._said[step]
        if language == "sql":
            said = self._asked(step)
        else:
            ran = subprocess.run(
                ["bash", "-c", step],
                cwd=folder,
                env=self._platform.machine.environment_of(ADMIN),
                capture_output=True,
                text=True,
                check=False,  # that something is not there is an answer
            )
            said = ran.stdout + ran.stderr
        self._said[step] = said
        return said

    def _asked(self, step: str) -> str:
        """The rows of a query; without the files that are broken, as the README of the runbooks
        says."""
        while True:
            try:
                return json.dumps(query(self._platform, of_whole_files(step, self._broken)))
            except QueryFailed as failed:
                broken = _BROKEN.search(str(failed))
                if broken is None or broken[1] in self._broken:
                    raise
                self._broken.append(broken[1])


def of_whole_files(step: str, broken: Iterable[str]) -> str:
    """A query of logs or records that leaves out the files that are broken; any other as it is."""
    if _BREAKABLE.search(step) is None:
        return step
    left_out = "".join(f"\n    AND \"$path\" <> '{file}'" for file in broken)
    return _CONDITIONS_END.sub(lambda end: left_out + end[0], step, count=1)
