"""Why a script failed, in the words Glue uses."""

from __future__ import annotations

import re
from pathlib import Path

_TAIL_BYTES = 256 * 1024
_MAX_MESSAGE = 4000
_TRACEBACK = "Traceback (most recent call last):"
# The line that ends a traceback: an exception's dotted name, then what it says.
_SYNTAX_ERROR = re.compile(r"(?:Syntax|Indentation|Tab)Error: .*")  # comes without a traceback
_EXCEPTION = re.compile(r"((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?:: (.*))?")


def error_message(stderr: Path, exit_code: int) -> str:
    """`<Exception>: <message>` of the last Python traceback, else the exit code."""
    if stderr.exists():
        with stderr.open("rb") as file:
            file.seek(max(0, stderr.stat().st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
        message = _exception(text)
        if message:
            return message[:_MAX_MESSAGE]
    if exit_code > 128:
        return f"Command failed with exit code {exit_code}: killed by signal {exit_code - 128}"
    return f"Command failed with exit code {exit_code}"


def _exception(text: str) -> str | None:
    _, found, after = text.rpartition(_TRACEBACK)
    if not found:
        last = text.rstrip().rpartition("\n")[2]
        return last if _SYNTAX_ERROR.fullmatch(last) else None
    for line in after.splitlines():
        match = _EXCEPTION.fullmatch(line)
        if match:
            name = match[1].rpartition(".")[2]
            return f"{name}: {match[2]}" if match[2] else name
    return None
