"""The witnesses of an honest history: what S3, the recorder and CloudTrail make of a call."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from tests.support.honest.evidence import History, KeptRecord, LogFile, Write
from tests.support.honest.hours import Hour
from tests.support.honest.places import PROVENANCE, RECORDER, START
from tests.support.honest.recorder import NOTED_SECONDS, signed
from tests.support.honest.seasons import CALM, Season
from tests.support.management_records import role_taken, service
from tests.support.notices import notice

from custody.core.formats.timestamps import format_utc
from custody.core.records.model import HashedVersion
from custody.core.records.names import late_key, record_id, record_key
from custody.core.records.notifications import object_created
from custody.core.records.recording import landing_record
from custody.core.records.statement import to_statement
from custody.objects import ObjectVersion

LOG_SLOT: Final = timedelta(minutes=5)
DIGEST_TIME: Final = timedelta(minutes=10)

_SEEN_FROM: Final = ("203.0.113.7", "AWS Internal", "glue.amazonaws.com", "::1")
_TOLD_FROM: Final = ("203.0.113.7", "10.0.0.9", "10.0.0.9", "0:0:0:0:0:0:0:1")
"""Where a call came from, as CloudTrail has it and as S3's notification does."""


_NOTIFIED: Final = {
    "PutObject": "Put",
    "CopyObject": "Copy",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}


@dataclass
class Witnesses:
    """What was written, and what tells of it, as time passes in a `season`."""

    season: Season = CALM
    writes: set[Write] = field(default_factory=set)
    arrivals: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)
    records: dict[str, KeptRecord] = field(default_factory=dict)
    notes: dict[str, datetime] = field(default_factory=dict)
    _serial: int = 0

    def history(self) -> History:
        slots: defaultdict[datetime, list[Mapping[str, Any]]] = defaultdict(list)
        for arrival, record in self.arrivals:
            slots[_ceiling(arrival, LOG_SLOT)].append(record)
        logs = (
            LogFile(
                name=f"AWSLogs/{slot:%Y/%m/%d/%Y%m%dT%H%MZ}.json.gz",
                delivered=slot,
                vouched=_ceiling(slot, timedelta(hours=1)) + DIGEST_TIME + self.season.digest_delay,
                records=tuple(records),
            )
            for slot, records in sorted(slots.items())
        )
        records = tuple(self.records.values())
        return History(frozenset(self.writes), tuple(logs), records, self.notes)

    def session(
        self, at: datetime, hour: Hour, role: str, by: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Somebody takes a role, and acts in the session."""
        key, name = self.id("ASIA"), role.rpartition("-")[2]
        self.manage(at, hour, role_taken(name, key, dict(by)))
        return {**session_of(role, "session"), "accessKeyId": key}

    def manage(self, at: datetime, hour: Hour, record: Mapping[str, Any]) -> None:
        """A management event arrives as data events do: repeated, late, perhaps amended."""
        whole = {
            **record,
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventID": self.id("m"),
            "requestID": self.id("R"),
        }
        partial = {name: value for name, value in whole.items() if name not in hour.late}
        for copy in range(hour.deliveries):
            delay = timedelta(seconds=hour.event_delay * (copy + 1) // hour.deliveries)
            self.arrivals.append((at + delay, partial))
        if hour.late:
            addendum = {"reason": "UPDATED_DATA", "originalEventID": whole["eventID"]}
            late = whole | {"eventID": self.id("m"), "addendum": addendum}
            self.arrivals.append((at + timedelta(seconds=hour.addendum_delay), late))

    def put(
        self,
        at: datetime,
        hour: Hour,
        who: Mapping[str, Any],
        bucket: str,
        key: str,
        name: str = "PutObject",
        **asked: str,
    ) -> str:
        """A write: a version, an event and a record; the version's id."""
        version, request = self.id("v"), self.id("R")
        size = 100 + self._serial
        sha256 = hashlib.sha256(version.encode()).hexdigest()
        self.writes.add(Write(bucket, key, version, who["arn"], sha256, size))
        received = {"PutObject": size + 80 * (hour.dialect % 2)}.get(name, 0)
        answer = {"x-amz-version-id": version} if hour.version_named else None
        if name == "CopyObject":
            answer = {"x-amz-copy-source-version-id": "v0"} | (answer or {})
        self.call(
            at, hour, who, name, bucket, key, answer, request=request, received=received, **asked
        )
        told = notice(bucket=bucket, key=key, size=size, version_id=version) | {
            "eventTime": format_utc(at + timedelta(milliseconds=137 * hour.dialect)),
            "eventName": f"ObjectCreated:{_NOTIFIED[name]}",
            "userIdentity": {"principalId": f"AWS:{who['principalId']}"},
            "requestParameters": {"sourceIPAddress": _TOLD_FROM[hour.dialect]},
            "responseElements": {"x-amz-request-id": request, "x-amz-id-2": f"{request}-host"},
        }
        times = [
            self.season.recorded(
                at, timedelta(seconds=hour.record_delay * (copy + 1) // hour.notifications)
            )
            for copy in range(hour.notifications)
        ]
        noted = at + timedelta(seconds=NOTED_SECONDS)
        if min(times) > noted:
            self._note_late(told, noted, hour)
        for time in times:
            self._record(told, sha256, time, hour)
        return version

    def _record(
        self, told: Mapping[str, Any], sha256: str, hashed_at: datetime, hour: Hour
    ) -> None:
        """The recorder at work: the first record of a version stays, a second is refused."""
        created = object_created(told)
        hashed = HashedVersion(sha256, created.size_bytes, created.etag, None)
        record = landing_record(created, hashed, hashed_at)
        id_ = record_id(record.version)
        place = record_key(record.event.time, id_)
        me = self.session(hashed_at, hour, RECORDER, service("lambda"))
        if place in self.records:
            self.refused(hashed_at, hour, me, "PutObject", PROVENANCE, place, "PreconditionFailed")
            return
        stored = self.id("p")
        self.records[place] = KeptRecord(
            ObjectVersion(PROVENANCE, place, stored),
            hashed_at,
            signed(to_statement(record), hashed_at, self.season.reached),
        )
        answer = {"x-amz-version-id": stored}
        self.call(hashed_at, hour, me, "PutObject", PROVENANCE, place, answer)

    def _note_late(self, told: Mapping[str, Any], at: datetime, hour: Hour) -> None:
        """The recorder, which cannot record yet, says so; CloudTrail, as late as ever it is."""
        hour = replace(hour, event_delay=hour.addendum_delay)
        created = object_created(told)
        place = late_key(created.event.time, record_id(created.version))
        me = self.session(at, hour, RECORDER, service("lambda"))
        self.notes[place] = at
        answer = {"x-amz-version-id": self.id("p")}
        self.call(at, hour, me, "PutObject", PROVENANCE, place, answer)

    def refused(
        self,
        at: datetime,
        hour: Hour,
        who: Mapping[str, Any],
        name: str,
        bucket: str,
        key: str,
        code: str,
    ) -> None:
        event = self._event(at, hour, who, name, bucket, key) | {"errorCode": code}
        self.arrivals.append((at + timedelta(seconds=hour.event_delay), event))

    def call(
        self,
        at: datetime,
        hour: Hour,
        who: Mapping[str, Any],
        name: str,
        bucket: str,
        key: str,
        answer: Mapping[str, str] | None = None,
        *,
        request: str | None = None,
        received: int = 0,
        **asked: str,
    ) -> None:
        """A call that succeeded: its event arrives, perhaps incomplete, repeated and late."""
        whole = self._event(at, hour, who, name, bucket, key) | {
            "responseElements": answer,
            "requestID": request or self.id("R"),
        }
        whole["requestParameters"] |= asked
        whole["additionalEventData"]["bytesTransferredIn"] = _count(received, hour.dialect)
        if hour.dialect == 2:
            whole["addendum"] = {"reason": "DELIVERY_DELAY"}
        partial = {name: value for name, value in whole.items() if name not in hour.late}
        for copy in range(hour.deliveries):
            delay = timedelta(seconds=hour.event_delay * (copy + 1) // hour.deliveries)
            self.arrivals.append((at + delay, partial))
        if hour.late:
            addendum = {
                "reason": "UPDATED_DATA",
                "updatedFields": ",".join(hour.late),
                "originalRequestID": whole["requestID"],
                "originalEventID": whole["eventID"],
            }
            late = whole | {"eventID": self.id("e"), "addendum": addendum}
            self.arrivals.append((at + timedelta(seconds=hour.addendum_delay), late))

    def _event(
        self, at: datetime, hour: Hour, who: Mapping[str, Any], name: str, bucket: str, key: str
    ) -> dict[str, Any]:
        read_only = name.startswith(("Get", "Head", "List"))
        return {
            "eventVersion": ("1.05", "1.08", "1.10", "1.11")[hour.dialect],
            "userIdentity": who,
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": "s3.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "sourceIPAddress": _SEEN_FROM[hour.dialect],
            "userAgent": "[aws-cli/2.31]",
            "requestParameters": {"bucketName": bucket, "Host": f"{bucket}.s3.amazonaws.com"}
            | ({"key": key} if key else {}),
            "additionalEventData": {"SSEApplied": "SSE_KMS", "bytesTransferredOut": 0},
            "eventID": self.id("e"),
            "readOnly": read_only if hour.dialect % 2 else str(read_only).lower(),
            "managementEvent": False,
            "eventCategory": "Data",
        }

    def id(self, kind: str) -> str:
        """An id that nothing else has."""
        self._serial += 1
        return f"{kind}{self._serial}"


def user(arn: str) -> Mapping[str, Any]:
    name = arn.rpartition("/")[2]
    return {"type": "IAMUser", "principalId": f"AIDA{name}", "arn": arn, "userName": name}


def session_of(role: str, session: str) -> Mapping[str, Any]:
    name = role.rpartition("/")[2]
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{name}:{session}",
        "arn": f"arn:aws:sts::111122223333:assumed-role/{name}/{session}",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}},
    }


def _count(number: int, dialect: int) -> int | float | str:
    """A number as CloudTrail's samples write it."""
    return (number, float(number), str(number), number)[dialect]


def _ceiling(moment: datetime, step: timedelta) -> datetime:
    return moment + (START - moment) % step
