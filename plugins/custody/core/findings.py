"""Findings of the reconciliation, and the pages people get about them.

A finding is one verdict about one object version. Its fingerprint identifies it for good: whatever
has been paged once under a fingerprint is never paged again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

SEVERITIES: Final[Mapping[str, str]] = {
    "CONFLICT": "critical",
    "UNWITNESSED": "critical",
    "UNRECORDED": "high",
}
"""How urgent each verdict that pages is. Verdicts that are not here do not page."""

GROUP_ABOVE: Final = 100
"""More new findings of one verdict than this become one page: a thousand pages are none."""

READ_LIMIT: Final = 500
"""Findings read per verdict and window. Beyond it only their number is known."""

GROUP_EXAMPLES: Final = 10

MAX_SUBJECT: Final = 99
"""SNS: "less than 100 characters long"."""


@dataclass(frozen=True)
class Finding:
    """One verdict about one object version; ``event_time`` is ISO UTC (``…Z``)."""

    verdict: str
    bucket: str
    key: str
    version_id: str
    principal_arn: str | None
    event_time: str
    reason: str
    fingerprint: str

    @classmethod
    def from_row(cls, row: Mapping[str, str | None]) -> Finding:
        """A row of ``include/sql/reconcile/read_findings.sql``.

        Raises ``ValueError`` naming the column if one that every finding has is missing or NULL, or
        if the verdict is not one that pages.
        """

        def required(column: str) -> str:
            value = row.get(column)
            if value is None:
                raise ValueError(f"read_findings.sql returned no {column}: {dict(row)}")
            return value

        verdict = required("verdict")
        if verdict not in SEVERITIES:
            raise ValueError(f"verdict {verdict!r} does not page; known: {sorted(SEVERITIES)}")
        return cls(
            verdict=verdict,
            bucket=required("bucket"),
            key=required("object_key"),
            version_id=required("version_id"),
            principal_arn=row.get("principal_arn"),
            event_time=required("event_time"),
            reason=required("verdict_reason"),
            fingerprint=required("fingerprint"),
        )


@dataclass(frozen=True)
class Page:
    """One message to the people on call.

    ``subject`` is printable ASCII of at most ``MAX_SUBJECT`` characters, ``message`` a JSON
    document, ``fingerprints`` the findings it tells about.
    """

    subject: str
    message: str
    message_attributes: Mapping[str, str]
    fingerprints: tuple[str, ...]


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """The first finding of each fingerprint, in order (two events may tell of one version)."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.fingerprint, finding)
    return list(first.values())


def pages(
    findings: Sequence[Finding],
    *,
    totals: Mapping[str, int],
    window_start: str,
    window_end: str,
) -> list[Page]:
    """The pages for new ``findings``: one each, or one for all of a verdict above ``GROUP_ABOVE``.

    ``totals`` is the number of findings per verdict in the window, including those not read.
    """
    window = {"start": window_start, "end": window_end}
    result: list[Page] = []
    for verdict in SEVERITIES:
        of_verdict = [finding for finding in findings if finding.verdict == verdict]
        if len(of_verdict) > GROUP_ABOVE:
            total = max(totals.get(verdict, 0), len(of_verdict))
            result.append(_grouped(verdict, of_verdict, total, window))
        else:
            result.extend(_single(finding, window) for finding in of_verdict)
    return result


def _single(finding: Finding, window: Mapping[str, str]) -> Page:
    return _page(
        finding.verdict,
        f"s3://{finding.bucket}/{finding.key}",
        {**asdict(finding), "window": window},
        (finding.fingerprint,),
    )


def _grouped(
    verdict: str, findings: Sequence[Finding], total: int, window: Mapping[str, str]
) -> Page:
    return _page(
        verdict,
        f"{total} object versions between {window['start']} and {window['end']} UTC",
        {
            "verdict": verdict,
            "findings": total,
            "examples": [asdict(finding) for finding in findings[:GROUP_EXAMPLES]],
            "window": window,
        },
        tuple(finding.fingerprint for finding in findings),
    )


def _page(
    verdict: str, about: str, body: Mapping[str, object], fingerprints: tuple[str, ...]
) -> Page:
    severity = SEVERITIES[verdict]
    message = {
        **body,
        "severity": severity,
        "runbook": f"docs/runbooks/{verdict.lower()}.md",
    }
    return Page(
        subject=_subject(f"{verdict} {about}"),
        message=json.dumps(message, ensure_ascii=False, indent=2),
        message_attributes={"verdict": verdict, "severity": severity},
        fingerprints=fingerprints,
    )


def _subject(text: str) -> str:
    printable = "".join(c if " " <= c <= "~" else "?" for c in text)
    return printable if len(printable) <= MAX_SUBJECT else printable[: MAX_SUBJECT - 3] + "..."
