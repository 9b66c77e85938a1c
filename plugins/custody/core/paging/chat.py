"""A page as chat shows it: what Amazon Q Developer in chat applications takes as a *custom
notification*, and renders in Slack.

Form: docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. Whatever somebody typed
stands in a block of code, in which nothing is a link, a mention or a format.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

MAX_BLOCK: Final = 2900
"""Slack takes 3,000 characters in a block of text; the lines around these count."""

MAX_LINE: Final = 300
"""Who names a file makes one line long, and none of those behind it is left out for that."""

MAX_LINK: Final = 1000
"""A longer one is left out, of an object with a long name; it is in the mail."""

_WORDS: Final[Mapping[str, str]] = {
    "console": "See it in the console",
    "runbook": "Follow its runbook",
    "run": "The run in Airflow that tells",
    "object": "The object version in S3",
    "log file": "The log file in S3",
    "recorder log": "What the recorder said, in CloudWatch",
}
"""What stands for a link, by what it leads to."""

_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"})
"""Slack's control characters, and the one that would end a block of code."""

_CHARACTER: Final = re.compile(r"\\(?:U[0-9a-f]{8}|u[0-9a-f]{4}|.)|.", re.DOTALL)
"""One of a line: that `custody.core.paging.form.shown` escaped, as a whole."""


def notification(
    *,
    title: str,
    lines: Sequence[str],
    links: Mapping[str, str],
    runbook: str,
    incident: str,
    labels: Mapping[str, str],
) -> str:
    """The JSON document of a page's custom notification.

    All about one `incident` come in one thread. Nothing of the `title` is what somebody typed. Of
    the `lines` and the `links` as many are shown as chat takes, the first first; links lead to the
    rest. `labels` are the page's verdict, severity and status.
    """
    lead = f"The runbook is {runbook}"
    steps = [
        f"<{_safe(link)}|{_WORDS[name]}>" for name, link in links.items() if len(link) <= MAX_LINK
    ]
    return json.dumps(
        {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": _safe(title),
                "description": _description(lines),
                "nextSteps": [*_fitting(steps, MAX_BLOCK - len(lead)), lead],
                "keywords": list(labels.values()),
            },
            "metadata": {
                "threadId": incident,
                "summary": _safe(title),
                "eventType": labels["verdict"],
                "additionalContext": dict(labels),
            },
        }
    )


def _safe(text: str) -> str:
    return text.translate(_ESCAPED)


def _description(lines: Sequence[str]) -> str:
    shown = _fitting([_cut(line) for line in lines], MAX_BLOCK)
    more = ["…"] if len(shown) < len(lines) else []
    return "\n".join(["```", *shown, *more, "```"])


def _fitting(texts: Sequence[str], room: int) -> list[str]:
    """The first of them that fit, each with a line's end."""
    ends = itertools.accumulate(len(text) + 1 for text in texts)
    return [text for text, end in zip(texts, ends, strict=True) if end <= room]


def _cut(line: str) -> str:
    """A line that is safe, whole or cut behind a whole character."""
    shown, room = "", MAX_LINE
    for character in map(_safe, _CHARACTER.findall(line)):
        room -= len(character)
        if room < 0:
            return f"{shown}…"
        shown += character
    return shown
