"""S3 event notifications: which object version was written, by which request.

Rules from "Event message structure" in the Amazon S3 User Guide. Messages are delivered at least
once and in no order; their keys are form-URL-encoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from custody.core.formats.s3_fields import bucket_name, checked_key, etag, instant, sequencer
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.records.model import LandingEvent
from custody.objects import UNVERSIONED, ObjectVersion

MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""The largest message SQS carries."""

MAX_RECORDS: Final = 1000
EVENT_MAJOR_VERSION: Final = 2
"""S3 raises the major version when it removes or changes a field, the minor when it adds one. So
the major must match, and any minor will do: the first has every field read here."""

_EVENT_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})", re.ASCII)
_ENCODED_KEY = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})+", re.DOTALL)
_MAX_ENCODED_KEY: Final = 3 * 1024
"""A key has up to 1,024 bytes and each may become `%XX`."""


@dataclass(frozen=True)
class ObjectCreated:
    """One object version that S3 says was written.

    `etag` is without quotes. A folder marker is an object like any other here: somebody wrote it.
    """

    version: ObjectVersion
    size_bytes: int
    etag: str
    sequencer: str
    event: LandingEvent


def message_records(body: bytes | str) -> list[object]:
    """The event records of one message, not yet read; none for S3's own `s3:TestEvent`.

    Raises `MalformedInput` if the body is no notification.
    """
    message = Fields.of(load_json(body, what="notification", max_bytes=MAX_MESSAGE_BYTES), "")
    if message.values.get("Event") == "s3:TestEvent":
        return []
    return message.items("Records", max_items=MAX_RECORDS)


def object_created(record: object, where: str = "Records[0]") -> ObjectCreated:
    """Read one event record, `where` being its path in the message.

    Raises `MalformedInput` naming the field that is missing or wrong, an event that is no
    `ObjectCreated` included.
    """
    fields = Fields.of(record, where)
    _check_version(fields)
    source = fields.text("eventSource")
    if source != "aws:s3":
        raise MalformedInput(fields.where("eventSource"), f"must be aws:s3, not {source[:80]!r}")
    name = fields.text("eventName")
    if not name.startswith("ObjectCreated:"):
        raise MalformedInput(
            fields.where("eventName"), f"{name[:80]!r} is no ObjectCreated event: nothing landed"
        )
    s3 = fields.child("s3")
    stored = s3.child("object")
    response = fields.child("responseElements")
    return ObjectCreated(
        version=ObjectVersion(
            bucket_name(s3.child("bucket"), "name"),
            _decoded_key(stored, "key"),
            stored.text("versionId") if stored.has("versionId") else UNVERSIONED,
        ),
        size_bytes=stored.count("size"),
        etag=etag(stored, "eTag"),
        sequencer=sequencer(stored, "sequencer"),
        event=LandingEvent(
            name=name,
            time=instant(fields, "eventTime"),
            request_id=response.text("x-amz-request-id"),
            host_id=response.text("x-amz-id-2"),
            source_ip=fields.child("requestParameters").text("sourceIPAddress"),
            principal_id=fields.child("userIdentity").text("principalId"),
        ),
    )


def _check_version(fields: Fields) -> None:
    version = fields.text("eventVersion")
    match = _EVENT_VERSION.fullmatch(version)
    if match is None or int(match[1]) != EVENT_MAJOR_VERSION:
        raise MalformedInput(
            fields.where("eventVersion"),
            f"must be {EVENT_MAJOR_VERSION}.x, not {version[:40]!r}",
        )


def _decoded_key(fields: Fields, name: str) -> str:
    """Undo S3's form-URL-encoding: `+` is a space, `%XX` a byte, together UTF-8."""
    encoded = fields.text(name, max_length=_MAX_ENCODED_KEY)
    if not _ENCODED_KEY.fullmatch(encoded):
        raise MalformedInput(fields.where(name), "holds a % that starts no %XX: it is not encoded")
    try:
        key = unquote_to_bytes(encoded.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput(fields.where(name), "decodes to bytes that are not UTF-8") from error
    return checked_key(key, fields.where(name))
