"""The table `lineage_checks`: every lineage statement is read and verified once, and the result
kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from custody.core.formats.dsse import Envelope
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.trust import BadLineage, Trust, read_part


@dataclass(frozen=True, slots=True, order=True)
class LineageCheck:
    """One row: a stored version of an object among the lineage.

    `written_at` is when it was written, as the trail says. `trouble` is why it is not to be
    believed, None if it is. `was_read` is false where S3 did not hand it out, which may change:
    such a check does not settle it.
    """

    bucket: str
    statement_key: str
    statement_version: str
    written_at: datetime
    key_id: str | None
    was_read: bool
    trouble: str | None


def check_statement(
    raw: bytes, trust: Trust, *, bucket: str, key: str, version_id: str, written_at: datetime
) -> LineageCheck:
    """Check one statement; never raises for what is in it."""
    key_id, trouble = None, None
    try:
        envelope = Envelope.parse(raw)
        key_id = next((s.keyid for s in envelope.signatures if s.keyid), None)
        read_part(envelope, key, trust)
    except (MalformedInput, BadLineage) as error:
        trouble = str(error)
    return LineageCheck(bucket, key, version_id, written_at, key_id, was_read=True, trouble=trouble)
