"""The management events that matter: who changed a control, and who is behind what is found.

Every call that changes a control is read (`custody.core.trail.control_changes`), and so is taking a
role or making credentials. Of some, what they did is read as well: switching the trail on or off,
changing the Glue catalog, setting a bucket's lifecycle rules. All others, which are most of a log,
are left out unread. A parameter that does not have the expected form is left out, and the rest of
the call is kept: CloudTrail truncates long parameters and hides some.

Formats: "CloudTrail record contents" in the AWS CloudTrail User Guide; parameters are those of the
APIs of STS, CloudTrail, Glue and S3, with the first letter small. S3 removes things by a bucket's
lifecycle rules without any event ("Logging Amazon S3 API calls using AWS CloudTrail" lists none);
setting them is `PutBucketLifecycle`, by whichever of the two APIs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from custody.core.calls.running import CATALOG_CALLS
from custody.core.formats.s3_fields import instant
from custody.core.formats.untrusted import MAX_TEXT, Fields
from custody.core.trail.control_changes import (
    ControlChange,
    changes_a_control,
    read_control_change,
)
from custody.core.trail.principals import (
    Principal,
    caller_text,
    check_event_version,
    read_principal,
)

MAX_PARTITIONS: Final = 100
"""Glue's limit per call; of a call with more, the first are read."""


@dataclass(frozen=True, slots=True)
class RoleAssumed:
    """A role was assumed; `access_key_id` is the key that signs the session's calls."""

    role_arn: str
    access_key_id: str


@dataclass(frozen=True, slots=True)
class CredentialsMade:
    """Somebody was given an access key: a lasting one of the user of this name, or a session's of
    whoever called (no user). `access_key_id` is the key that signs with it."""

    user: str | None
    access_key_id: str


@dataclass(frozen=True, slots=True)
class TrailSwitched:
    """A call that may have switched the trail of this name (or its proof) off or on.

    `logging`, `validation` and `multi_region` (whether it logs every region) are what it set them
    to, None for none of it; `bucket` is where it has the trail deliver, if it says so.
    """

    trail: str
    logging: bool | None
    validation: bool | None
    multi_region: bool | None
    bucket: str | None
    prefix: str | None


@dataclass(frozen=True, slots=True)
class PartitionMoved:
    """A partition by its values, and its new location; None if dropped or not given."""

    values: tuple[str, ...]
    location: str | None


@dataclass(frozen=True, slots=True)
class CatalogChanged:
    """Tables of a database that a call created, changed or dropped (none: the database itself), or
    the partitions of its one table."""

    database: str
    tables: tuple[str, ...]
    partitions: tuple[PartitionMoved, ...]


@dataclass(frozen=True, slots=True)
class LifecycleSet:
    """The lifecycle rules of a bucket, by which S3 removes objects by itself, were changed."""

    bucket: str


About = RoleAssumed | CredentialsMade | TrailSwitched | CatalogChanged | LifecycleSet
"""What a call did, of the kinds that are told apart."""


@dataclass(frozen=True, slots=True)
class ManagementEvent:
    """One successful call that matters. The fields are those of `TrailEvent`; `about` is what the
    call did, if it is of a kind that is told apart, and `control` what it changed."""

    event_id: str
    name: str
    time: datetime
    who: Principal
    request_id: str | None
    source_ip: str | None
    user_agent: str | None
    log: str
    proven: bool
    digest: str | None
    amended: bool
    about: About | None
    control: ControlChange | None = None


def is_management(event: Fields) -> bool:
    """Whether CloudTrail calls the event a management event, not a data event."""
    return (
        event.values.get("eventCategory") == "Management"
        or event.values.get("managementEvent") is True
    )


def read_management_event(
    event: Fields, *, log: str, proven: bool, digest: str | None = None
) -> ManagementEvent | None:
    """The successful call that an event describes; None if it failed or does not matter.

    Raises `MalformedInput` for one that matters without a caller or time.
    """
    source, name = event.values.get("eventSource"), event.values.get("eventName")
    if not isinstance(source, str) or not isinstance(name, str) or event.has("errorCode"):
        return None
    read, changes = _READERS.get((source, name)), changes_a_control(source, name, event)
    if read is None and not changes:
        return None
    check_event_version(event)
    request, response = _part(event, "requestParameters"), _part(event, "responseElements")
    about = read(name, request, response) if read else None
    refused = read is _catalog_changed and bool(_list(response, "errors"))
    if about is None and (refused or not changes):
        return None
    who = read_principal(event.child("userIdentity"))
    control = read_control_change(source, name, event, who.arn) if changes else None
    if about is None and control is None:
        return None
    original = _text(_part(event, "addendum"), "originalEventID")
    return ManagementEvent(
        event_id=original or event.text("eventID"),
        name=name,
        time=instant(event, "eventTime"),
        who=who,
        request_id=event.optional_text("requestID"),
        source_ip=caller_text(event, "sourceIPAddress"),
        user_agent=caller_text(event, "userAgent"),
        log=log,
        proven=proven,
        digest=digest if proven else None,
        amended=original is not None,
        about=about,
        control=control,
    )


def merge_calls(deliveries: Iterable[ManagementEvent]) -> list[ManagementEvent]:
    """Each call once, in the order of their times, however often it was delivered.

    A proven delivery is preferred, then the original to an addendum, which adds what the original
    did not tell of what the call did. The result does not depend on the order of the deliveries.
    """
    known: dict[str, ManagementEvent] = {}
    for call in sorted(deliveries, key=lambda c: (not c.proven, c.amended, c.time, repr(c))):
        first = known.setdefault(call.event_id, call)
        if call.amended and call.proven == first.proven:
            known[call.event_id] = replace(
                first, about=first.about or call.about, control=_fuller(first, call)
            )
    return sorted(known.values(), key=lambda call: (call.time, call.event_id))


def _fuller(one: ManagementEvent, other: ManagementEvent) -> ControlChange | None:
    """What a call changed, by the delivery that names it."""
    unnamed = one.control is None or one.control.names is None
    return other.control or one.control if unnamed else one.control


# --- Assuming a role ------------------------------------------------------------------------------


def _role_assumed(_name: str, request: Fields, response: Fields) -> RoleAssumed | None:
    role = _text(request, "roleArn")
    key = _text(_part(response, "credentials"), "accessKeyId")
    return RoleAssumed(role, key) if role and key else None


def _key_made(_name: str, _request: Fields, response: Fields) -> CredentialsMade | None:
    made = _part(response, "accessKey")
    user, key = _text(made, "userName"), _text(made, "accessKeyId")
    return CredentialsMade(user, key) if user and key else None


def _session_made(_name: str, _request: Fields, response: Fields) -> CredentialsMade | None:
    key = _text(_part(response, "credentials"), "accessKeyId")
    return CredentialsMade(None, key) if key else None


# --- Switching the trail --------------------------------------------------------------------------

_SETS_LOGGING: Final = {"StartLogging": True, "StopLogging": False, "DeleteTrail": False}


def _trail_switched(name: str, request: Fields, _response: Fields) -> TrailSwitched | None:
    trail, prefix = _text(request, "name"), request.values.get("s3KeyPrefix")
    if trail is None:
        return None
    return TrailSwitched(
        trail=trail.rpartition("/")[2],  # a name, or an ARN that ends in it
        logging=_SETS_LOGGING.get(name),
        validation=_switch(request, "enableLogFileValidation"),
        multi_region=_switch(request, "isMultiRegionTrail"),
        bucket=_text(request, "s3BucketName"),
        prefix=prefix[:MAX_TEXT] if isinstance(prefix, str) else None,
    )


# --- Changing the catalog -------------------------------------------------------------------------


def _catalog_changed(name: str, request: Fields, response: Fields) -> CatalogChanged | None:
    database = _text(request, "name" if name == "DeleteDatabase" else "databaseName")
    if database is None:
        return None
    tables: tuple[str | None, ...] = ()
    moved: list[PartitionMoved] = []
    if "Partition" in name:
        tables = (_text(request, "tableName"),)
        refused = {values for error in _list(response, "errors") if (values := _values(error))}
        moved = [p for p in _partitions(request) if p.values not in refused]
        if refused and not moved:
            return None
    elif name == "BatchDeleteTable":
        listed = request.values.get("tablesToDelete")
        tables = tuple(map(_short, listed[:MAX_PARTITIONS])) if isinstance(listed, list) else ()
    elif name != "DeleteDatabase":
        tables = (_text(request, "name") or _text(_part(request, "tableInput"), "name"),)
    return CatalogChanged(database, tuple(filter(None, tables)), tuple(moved))


def _partitions(request: Fields) -> Iterator[PartitionMoved]:
    """The partitions that any of Glue's calls about partitions names."""
    for each in (request, *_list(request, "entries"), *_list(request, "partitionInputList")):
        made = _part(each, "partitionInput") if each.has("partitionInput") else each
        # A partition that is given other values is known by those it had.
        if values := _values(each) or _values(made):
            yield PartitionMoved(values, _text(_part(made, "storageDescriptor"), "location"))
    for each in _list(request, "partitionsToDelete"):
        if values := _values(each):
            yield PartitionMoved(values, None)


def _values(partition: Fields) -> tuple[str, ...]:
    """A partition's values, under any of the names that Glue's calls have for them."""
    for name in ("partitionValueList", "partitionValues", "values"):
        listed = partition.values.get(name)
        if isinstance(listed, list) and listed:
            return tuple(_short(value) or "" for value in listed[:MAX_PARTITIONS])
    return ()


# --- Setting lifecycle rules ----------------------------------------------------------------------


def _lifecycle_set(_name: str, request: Fields, _response: Fields) -> LifecycleSet | None:
    bucket = _text(request, "bucketName")
    return LifecycleSet(bucket) if bucket else None


# --- Parameters that may have any shape -----------------------------------------------------------


def _part(fields: Fields, name: str) -> Fields:
    """The JSON object of that name; an empty one if the value is anything else."""
    value = fields.values.get(name)
    return Fields(value if isinstance(value, Mapping) else {}, fields.where(name))


def _list(fields: Fields, name: str) -> list[Fields]:
    """The JSON objects in the list of that name; none if the value is anything else."""
    value = fields.values.get(name)
    listed = value[:MAX_PARTITIONS] if isinstance(value, list) else []
    return [Fields(item, fields.where(name)) for item in listed if isinstance(item, Mapping)]


def _switch(fields: Fields, name: str) -> bool | None:
    value = fields.values.get(name)
    return value if isinstance(value, bool) else None


def _text(fields: Fields, name: str) -> str | None:
    return _short(fields.values.get(name))


def _short(value: object) -> str | None:
    """A text, truncated and without what UTF-8 cannot encode; None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


_Reader = Callable[[str, Fields, Fields], About | None]

_NAMES: Final[Mapping[str, tuple[str, _Reader]]] = {
    "sts": ("AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity", _role_assumed),
    "s3": ("PutBucketLifecycle", _lifecycle_set),
    "iam": ("CreateAccessKey", _key_made),
    "cloudtrail": ("StartLogging StopLogging CreateTrail UpdateTrail DeleteTrail", _trail_switched),
    "glue": (CATALOG_CALLS, _catalog_changed),
}
_READERS: Final[Mapping[tuple[str, str], _Reader]] = {
    **{
        (f"{service}.amazonaws.com", name): reader
        for service, (names, reader) in _NAMES.items()
        for name in names.split()
    },
    **{("sts.amazonaws.com", n): _session_made for n in ("GetSessionToken", "GetFederationToken")},
}
