"""The defects that a validation reports, each with its sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from custody.core.formats.timestamps import format_utc
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.digests.coverage import Period
from custody.core.trail.digests.signatures import SignedDigest
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import Head


def trail_off(layout: TrailLayout, reason: str) -> TrailDefect:
    """The trail proves nothing of what happens now, for `reason`, a sentence."""
    return TrailDefect(TrailDefectKind.TRAIL_OFF, layout.bucket, layout.digest_prefix, reason)


def region_off(layout: TrailLayout) -> TrailDefect:
    """Files, or a head remembered, of a region that the account has not enabled."""
    return TrailDefect(
        TrailDefectKind.REGION_OFF,
        layout.bucket,
        layout.digest_prefix,
        f"The trail has files of the region {layout.region}, which the account has not enabled: "
        "CloudTrail publishes no keys there, so nothing proves them.",
    )


def keys_refused(layout: TrailLayout, code: str) -> TrailDefect:
    """The keys of a region are not handed out; `code` is CloudTrail's answer."""
    return TrailDefect(
        TrailDefectKind.UNREADABLE,
        layout.bucket,
        layout.digest_prefix,
        f"CloudTrail does not hand out its public keys of the region {layout.region} ({code}), so "
        "nothing proves its log files.",
    )


def no_digests(
    layout: TrailLayout, head: Head | None, start: datetime | None, as_of: datetime
) -> TrailDefect:
    """No digest from `start` to `as_of`, though some were due or `head` was there."""
    missing = f", not even the one remembered, {head.key}" if head else ""
    return TrailDefect(
        TrailDefectKind.NO_DIGESTS,
        layout.bucket,
        layout.digest_prefix,
        f"There is not one digest of {layout.region}, so no log file of it can be proven{missing}.",
        period_start=start,
        period_end=as_of,
    )


def gap(bucket: str, before: str, period: Period, *, evidence: str | None = None) -> TrailDefect:
    """A period that the chain leaves out.

    It is about the digest `before` it, which stays the same whatever comes later. `evidence`
    is the key of the digest that begins anew.
    """
    start, end = format_utc(period.start), format_utc(period.end)
    return TrailDefect(
        TrailDefectKind.GAP,
        bucket,
        before,
        f"No digest covers the time from {start} to {end}: logging "
        "or its validation was switched off, and the chain of digests ended and began anew.",
        digest_key=evidence,
        period_start=period.start,
        period_end=period.end,
    )


def gap_before_first(
    layout: TrailLayout, first: SignedDigest, times: Sequence[datetime]
) -> TrailDefect:
    """Log files, delivered at `times`, that are older than the `first` digest."""
    begins, since = first.digest.start, min(times)
    return TrailDefect(
        TrailDefectKind.GAP,
        layout.bucket,
        first.digest.key,
        f"The first digest begins at {format_utc(begins)}; {len(times)} log "
        f"file(s) put here since {format_utc(since)} are older, and nothing proves them.",
        digest_key=first.digest.key,
        period_start=since,
        period_end=begins,
    )


def digest_missing(
    bucket: str, key: str, period: Period, *, evidence: str | None, remark: str
) -> TrailDefect:
    """No digest of `period`, though the digest `evidence` names it, or though it is due.

    `remark` is added to the sentence.
    """
    known_by = "its successor names it" if evidence else "it is due"
    return TrailDefect(
        TrailDefectKind.DIGEST_MISSING,
        bucket,
        key,
        f"There is no digest for deliveries from {format_utc(period.start)} "
        f"to {format_utc(period.end)}, though {known_by}{remark}.",
        digest_key=evidence,
        period_start=period.start,
        period_end=period.end,
    )


def digest_unchained(last: SignedDigest, link: SignedDigest, why: str) -> TrailDefect:
    """The digest `last`, which `link`, the next one, does not vouch for."""
    return TrailDefect(
        TrailDefectKind.DIGEST_UNCHAINED,
        last.digest.bucket,
        last.digest.key,
        f"The digest is signed but not part of the chain: {why}.",
        digest_key=link.digest.key,
        period_start=last.digest.start,
        period_end=last.digest.end,
    )


def head_gone(head: Head, period: Period, last: SignedDigest | None) -> TrailDefect:
    """The remembered `head` is missing, and the chain ends with `last`, which is older."""
    return TrailDefect(
        TrailDefectKind.ROLLED_BACK,
        head.bucket,
        head.key,
        "The digest that was the last one proven before is gone, and no later one names it.",
        digest_key=last.digest.key if last else None,
        period_start=period.start,
        period_end=period.end,
    )


def head_replaced(link: SignedDigest) -> TrailDefect:
    """Another signed digest, `link`, has the key of the one that was remembered."""
    return TrailDefect(
        TrailDefectKind.ROLLED_BACK,
        link.digest.bucket,
        link.digest.key,
        "Another digest stands where the last proven one was remembered.",
        digest_key=link.digest.key,
        period_start=link.digest.start,
        period_end=link.digest.end,
    )


def foreign_object(bucket: str, key: str, version_id: str) -> TrailDefect:
    """An object among the trail's files whose key CloudTrail does not give."""
    reason = "It lies among CloudTrail's files under a name that CloudTrail does not give."
    return TrailDefect(TrailDefectKind.INJECTED, bucket, key, reason, version_id)


def log_injected(
    bucket: str, key: str, version_id: str, delivered_at: datetime, digest_key: str
) -> TrailDefect:
    """A log file that `digest_key`, the digest of its time, does not name."""
    reason = (
        f"No digest names this log file, which was put here at {format_utc(delivered_at)}: "
        "CloudTrail did not deliver it."
    )
    return TrailDefect(TrailDefectKind.INJECTED, bucket, key, reason, version_id, digest_key)
