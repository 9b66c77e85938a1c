"""Following a runbook to the letter: its commands and queries, with the values of one finding."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from textwrap import dedent
from typing import Any, Final

from custody.core.console.runbook import filled, values_of
from custody.core.ledger.rows import LedgerRow
from custody.core.paging.findings import PageState
from rehearsal.machine import REPOSITORY
from rehearsal.observing import query
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

    def walk(self, finding: LedgerRow) -> str:
        """All that he reads who follows a finding's runbook; raises what a query raises."""
        settings = {name: str(value) for name, value in self._platform.settings.items()}
        with tempfile.TemporaryDirectory() as folder:
            return "\n".join(
                self._done(language, step, folder) for language, step in steps(finding, settings)
            )

    def _done(self, language: str, step: str, folder: str) -> str:
        if step in self._said and step.strip() != _HASHES:
            return self._said[step]
        if language == "sql":
            said = json.dumps(query(self._platform, step))
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
