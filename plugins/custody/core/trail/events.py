"""S3's data events: successful writes, removals and alterations in place of objects.

Formats: "CloudTrail record contents" in the AWS CloudTrail User Guide. Only the fields that the
ledger needs are read. CloudTrail delivers an event late, more than once, and in no order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from custody.core.calls.kinds import CallKind
from custody.core.calls.table import names_of, operation_of
from custody.core.formats.s3_fields import checked_key, instant
from custody.core.formats.untrusted import Fields
from custody.core.trail.principals import Principal, caller_text, check_event_version

WRITES: Final = names_of(CallKind.WRITE)
REMOVALS: Final = names_of(CallKind.REMOVAL)
ALTERATIONS: Final = names_of(CallKind.ALTERS_IN_PLACE)

_MATTERING: Final = frozenset({CallKind.WRITE, CallKind.REMOVAL, CallKind.ALTERS_IN_PLACE})

_TOP_LEVEL: Final = {
    "eventTime": ("time",),
    "userIdentity": ("who",),
    "requestID": ("request_id",),
    "requestParameters": ("bucket", "key", "version_id"),
    "responseElements": ("version_id", "delete_marker"),
    "additionalEventData": ("bytes_in",),
    "sourceIPAddress": ("source_ip",),
    "userAgent": ("user_agent",),
}
"""The attributes of a `TrailEvent` that come from each field an addendum may name."""


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """One successful write or removal of a version, or alteration of one in place.

    `key` is None for `DeleteObjects`, which names none. `version_id` is the version written,
    altered or permanently removed, or None where the event does not say; with `delete_marker` it
    is the marker's own. `bytes_in` counts the bytes S3 received, which for a multipart upload is
    not the object's size. `log` names the log file the event stands in, `proven` says whether a
    digest vouches for that file, and `digest` names the digest if so.
    """

    event_id: str
    name: str
    time: datetime
    bucket: str
    key: str | None
    version_id: str | None
    delete_marker: bool
    request_id: str | None
    bytes_in: int | None
    who: Principal
    source_ip: str | None
    user_agent: str | None
    updates: tuple[str, ...] | None
    log: str
    proven: bool
    upload_id: str | None = None
    digest: str | None = None

    @property
    def is_write(self) -> bool:
        return self.name in WRITES

    @property
    def is_removal(self) -> bool:
        return self.name in REMOVALS


def read_event(
    fields: Fields, who: Principal, *, log: str, proven: bool, digest: str | None
) -> TrailEvent | None:
    """What `who` did to an object, as an event describes it; None for reads and failed calls.

    A verb that nobody has looked at yet, and that CloudTrail does not call a read, alters in place.
    Raises `MalformedInput` for one without CloudTrail's shape.
    """
    name = fields.text("eventName")
    if (
        fields.text("eventSource") != "s3.amazonaws.com"
        or not _matters(name, fields)
        or fields.has("errorCode")
        or fields.optional_text("eventCategory") == "Aggregated"
    ):
        return None
    check_event_version(fields)
    request = fields.child("requestParameters")
    response = fields.child("responseElements") if fields.has("responseElements") else None
    extra = fields.child("additionalEventData") if fields.has("additionalEventData") else None
    addendum = fields.child("addendum") if fields.has("addendum") else None
    original = addendum.optional_text("originalEventID") if addendum else None
    answered = response.optional_text("x-amz-version-id") if response else None
    asked = None if name in WRITES else _asked_version(request)
    return TrailEvent(
        event_id=original or fields.text("eventID"),
        name=name,
        time=instant(fields, "eventTime"),
        bucket=_bucket(fields, request),
        key=None if name == "DeleteObjects" else _key(request),
        version_id=asked or answered,
        delete_marker=name == "DeleteObject" and asked is None,
        request_id=fields.optional_text("requestID"),
        bytes_in=_bytes(extra) if extra else None,
        who=who,
        source_ip=caller_text(fields, "sourceIPAddress"),
        user_agent=caller_text(fields, "userAgent"),
        updates=_updates(addendum) if addendum and original else None,
        log=log,
        proven=proven,
        upload_id=request.optional_text("uploadId") if name == "CompleteMultipartUpload" else None,
        digest=digest,
    )


def is_about_an_object(event: Fields) -> bool:
    """Whether a call writes, removes or alters an object, whatever CloudTrail files it under: of a
    verb that is new, nobody knows."""
    source, name = event.values.get("eventSource"), event.values.get("eventName")
    if source != "s3.amazonaws.com" or not isinstance(name, str):
        return False
    known = operation_of(source, name)
    return known is not None and known.kind in _MATTERING


def merge(deliveries: Iterable[TrailEvent]) -> TrailEvent:
    """One event out of all deliveries that share its `event_id`.

    Copies are the same; the fields an addendum names replace the original's. If any delivery is
    proven, the unproven ones are ignored: an injected copy must not change a proven event. The
    result does not depend on the order. Raises `ValueError` for no deliveries.
    """
    known = list(deliveries)
    if not known:
        raise ValueError("nothing to merge")
    believed = [event for event in known if event.proven] or known
    ordered = sorted(believed, key=lambda e: (e.updates is not None, e.time, e.log, repr(e)))
    merged = ordered[0]
    for later in ordered[1:]:
        changed = {
            attribute: value
            for field in later.updates or ()
            for attribute in _TOP_LEVEL.get(field, ())
            if (value := getattr(later, attribute)) is not None
        }
        merged = replace(merged, **changed)
    return replace(merged, updates=None)


def _matters(name: str, event: Fields) -> bool:
    known = operation_of(event.text("eventSource"), name)
    if known is None:
        return event.values.get("readOnly") is False
    return known.kind in _MATTERING


def _asked_version(request: Fields) -> str | None:
    return request.optional_text("versionId") or request.optional_text("x-amz-version-id")


def _bucket(event: Fields, request: Fields) -> str:
    """The bucket; where the request came through an access point it has that one's name, and
    `resources` has both ("Monitoring and logging access points" in the Amazon S3 User Guide)."""
    named = request.text("bucketName")
    listed = event.values.get("resources")
    resources = [r for r in listed if isinstance(r, Mapping)] if isinstance(listed, list) else []
    kinds = {resource.get("type") for resource in resources}
    buckets = {
        arn.rpartition(":::")[2]
        for resource in resources
        if resource.get("type") == "AWS::S3::Bucket" and isinstance(arn := resource.get("ARN"), str)
    }
    through = "AWS::S3::AccessPoint" in kinds and len(buckets) == 1
    return buckets.pop() if through and named not in buckets else named


def _key(request: Fields) -> str:
    return checked_key(request.text("key"), request.where("key"))


def _bytes(extra: Fields) -> int | None:
    """`bytesTransferredIn`, a number that AWS's samples write as 100, 100.0 or "100"."""
    value = extra.values.get("bytesTransferredIn")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63:
        return None
    return int(value)


def _updates(addendum: Fields) -> tuple[str, ...]:
    """The fields an addendum updates, such as `"userAgent,sourceIPAddress"`."""
    named = addendum.optional_text("updatedFields") or ""
    return tuple(name.strip() for name in named.split(",") if name.strip())
