"""A page as chat shows it: what Amazon Q Developer in chat applications takes as a *custom
notification*, and renders in Slack.

Form: docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. Whatever somebody typed
stands in a block of code, in which nothing is a link, a mention or a format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

MAX_DESCRIPTION: Final = 2900
"""Slack takes 3,000 characters in a block of text; the lines around these count."""

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

    All about one `incident` come in one thread. Of the `lines` as many are shown as chat takes;
    links lead to the rest. `labels` are the page's verdict, severity and status.
    """
    steps = [f"<{_safe(link)}|{_WORDS[name]}>" for name, link in links.items()]
    return json.dumps(
        {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": _safe(title),
                "description": _description(lines),
                "nextSteps": [*steps, f"The runbook is {runbook}"],
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
    shown, room = list[str](), MAX_DESCRIPTION
    for line in map(_safe, lines):
        room -= len(line) + 1
        if room < 0:
            shown.append("…")
            break
        shown.append(line)
    return "\n".join(["```", *shown, "```"])
