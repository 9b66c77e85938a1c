"""Honest histories: what S3, the recorder and CloudTrail leave behind when nobody does wrong.

`histories` draws days of the platform's life. `Platform` lives them: it writes objects, and each
write leaves a notification, a record signed by the recorder and an event in a log file, each at a
time of its own, some of them more than once. Nothing here knows the rules of the ledger.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import strategies as st
from tests.support.management_records import (
    call,
    partition_moved,
    role_taken,
    service,
    switched,
)
from tests.support.notices import notice

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.formats.timestamps import format_utc
from custody.core.records.checking import ReadEnvelope, TrustedKey, read_envelope
from custody.core.records.model import HashedVersion
from custody.core.records.names import late_key, record_id, record_key
from custody.core.records.notifications import object_created
from custody.core.records.recording import landing_record
from custody.core.records.retries import NOTED_AFTER, retry_seconds
from custody.core.records.statement import to_statement
from custody.objects import ObjectVersion

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
HOURS_A_DAY: Final = 24
PROMPT: Final = timedelta(minutes=20)
"""No witness of a prompt history needs longer; a log file adds up to five minutes."""
DAYS_LATE: Final = timedelta(days=3)

PROVENANCE: Final = "provenance"
LAYERS: Final = {"raw": "bronze", "processed": "silver", "analytics": "gold"}
GLUE: Final = "arn:aws:iam::111122223333:role/custody-local-glue"
RECORDER: Final = "arn:aws:iam::111122223333:role/custody-local-recorder"
AIRFLOW: Final = "arn:aws:iam::111122223333:role/custody-local-airflow"
DEPLOYMENT: Final = "arn:aws:iam::111122223333:role/custody-local-cloudformation"
ENGINEER: Final = "arn:aws:iam::111122223333:user/platform-engineer"
UPLOADERS: Final = tuple(
    f"arn:aws:iam::111122223333:user/{name}" for name in ("crm-export", "web-shop", "partner-feed")
)
KEYS: Final = ("incoming/customers/dt=2026-11-01/a b+c.csv", "incoming/é%20🗃️.csv", "incoming/x/")

STACK: Final = "custody-local"
DEPLOYED: Final = (
    ("glue", "UpdateDatabase", {"name": "custody_local"}),
    ("s3", "PutBucketPolicy", {"bucketName": "raw", "bucketPolicy": {}}),
    ("s3", "PutBucketNotification", {"bucketName": "raw"}),
    ("iam", "PutRolePolicy", {"roleName": f"{STACK}-glue", "policyName": "p"}),
    ("lambda", "UpdateFunctionCode20150331v2", {"functionName": f"{STACK}-recorder"}),
    ("ssm", "PutParameter", {"name": "/custody/local/airflow/variables/custody"}),
)
"""What CloudFormation calls beside switching the trail, when the platform is deployed."""

LOG_SLOT: Final = timedelta(minutes=5)
DIGEST_TIME: Final = timedelta(minutes=10)


class Activity(StrEnum):
    """What somebody may do to the platform in an hour; the first is the simplest."""

    NOTHING = "nothing"
    UPLOAD = "upload"
    MULTIPART = "multipart"
    MULTIPART_TWICE = "multipart, completed again by a client that missed the answer"
    RESTORE = "an older version copied over the newest"
    THAW = "a version fetched back from an archive"
    REFUSED = "an upload refused, then done"
    READ = "reading"
    SPARK = "a job that writes, renames and clears up, and says so"
    PUBLISH = "Airflow points partitions at new files"
    ROTATE = "an uploader makes himself another key, ends the old one and uploads"
    DEPLOY = "an engineer deploys with CloudFormation, and runs a DAG as Airflow"


@dataclass(frozen=True)
class Hour:
    """One hour: what happens in it, and how its evidence fares.

    `late` are the fields of its event that only an addendum brings; delays are in seconds.
    """

    activity: Activity
    who: int
    key: int
    layer: str
    second: int
    event_delay: int
    record_delay: int
    addendum_delay: int
    deliveries: int
    notifications: int
    version_named: bool
    late: tuple[str, ...]
    dialect: int


_SEEN_FROM: Final = ("203.0.113.7", "AWS Internal", "glue.amazonaws.com", "::1")
_TOLD_FROM: Final = ("203.0.113.7", "10.0.0.9", "10.0.0.9", "0:0:0:0:0:0:0:1")
"""Where a call came from, as CloudTrail has it and as S3's notification does."""

NOTED_SECONDS: Final = sum(retry_seconds(n, may_pass=True) for n in range(1, NOTED_AFTER))
"""When the recorder notes that a record is late."""

MAY_BE_LATE: Final = (
    "userAgent",
    "sourceIPAddress",
    "responseElements",
    "additionalEventData",
    "requestID",
)


def histories(
    longest: timedelta, *, events: timedelta | None = None
) -> st.SearchStrategy[list[Hour]]:
    """Days whose evidence is up to `longest` late; CloudTrail's up to `events`, if given."""
    delays = st.integers(0, int(longest.total_seconds()))
    of_events = delays if events is None else st.integers(0, int(events.total_seconds()))
    hour = st.builds(
        Hour,
        activity=st.sampled_from(Activity),
        who=st.integers(0, 2),
        key=st.integers(0, 2),
        layer=st.sampled_from(["processed", "analytics"]),
        second=st.integers(0, 3599),
        event_delay=of_events,
        record_delay=delays,
        addendum_delay=of_events,
        deliveries=st.integers(1, 3),
        notifications=st.integers(1, 3),
        version_named=st.booleans(),
        late=st.sampled_from([(), *((name,) for name in MAY_BE_LATE), MAY_BE_LATE]),
        dialect=st.integers(0, 3),
    )
    return st.lists(hour, min_size=HOURS_A_DAY, max_size=HOURS_A_DAY)


@dataclass(frozen=True)
class Write:
    """What truly happened: one object version and who wrote which bytes."""

    bucket: str
    key: str
    version_id: str
    principal_arn: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class LogFile:
    """A log file as delivered, and when the digest that vouches for it came."""

    name: str
    delivered: datetime
    vouched: datetime
    records: tuple[Mapping[str, Any], ...]

    def content(self, order: random.Random | None) -> bytes:
        records = list(self.records)
        if order:
            order.shuffle(records)
        return json.dumps({"Records": records}).encode()


@dataclass(frozen=True)
class History:
    """Everything that was done, and everything that tells of it."""

    writes: frozenset[Write]
    logs: tuple[LogFile, ...]
    records: tuple[ReadEnvelope, ...]

    @property
    def settled(self) -> datetime:
        """When the last piece of evidence is in."""
        return max(
            [START, *(log.vouched for log in self.logs), *(r.stored_at for r in self.records)]
        )


def live(hours: Iterable[Hour]) -> History:
    """Live the hours, one after the other from `START`."""
    platform = Platform()
    for number, hour in enumerate(hours):
        platform.live(START + timedelta(hours=number, seconds=hour.second), hour)
    return platform.history()


@dataclass
class Platform:
    """The platform and the time that passes on it."""

    writes: set[Write] = field(default_factory=set)
    arrivals: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)
    records: dict[str, ReadEnvelope] = field(default_factory=dict)
    _serial: int = 0

    def live(self, at: datetime, hour: Hour) -> None:
        uploader = _user(UPLOADERS[hour.who])
        key = KEYS[hour.key]
        match hour.activity:
            case Activity.NOTHING:
                pass
            case Activity.UPLOAD:
                self._put(at, hour, uploader, "raw", key)
            case Activity.MULTIPART | Activity.MULTIPART_TWICE:
                self._multipart(at, hour, uploader, key)
            case Activity.RESTORE:
                self._put(at, hour, uploader, "raw", key)
                self._put(at + timedelta(minutes=1), hour, uploader, "raw", key, "CopyObject")
            case Activity.THAW:
                self._put(at, hour, uploader, "raw", key)
                self._call(at, hour, uploader, "RestoreObject", "raw", key, versionId="v1")
            case Activity.REFUSED:
                self._refused(at, hour, uploader, "PutObject", "raw", key, "SlowDown")
                self._put(at + timedelta(seconds=1), hour, uploader, "raw", key)
            case Activity.READ:
                for name in ("GetObject", "HeadObject", "ListObjects"):
                    self._call(at, hour, uploader, name, "raw", key)
            case _:
                self._run(at, hour)

    def history(self) -> History:
        slots: defaultdict[datetime, list[Mapping[str, Any]]] = defaultdict(list)
        for arrival, record in self.arrivals:
            slots[_ceiling(arrival, LOG_SLOT)].append(record)
        logs = (
            LogFile(
                name=f"AWSLogs/{slot:%Y/%m/%d/%Y%m%dT%H%MZ}.json.gz",
                delivered=slot,
                vouched=_ceiling(slot, timedelta(hours=1)) + DIGEST_TIME,
                records=tuple(records),
            )
            for slot, records in sorted(slots.items())
        )
        return History(frozenset(self.writes), tuple(logs), tuple(self.records.values()))

    # What people and jobs do.

    def _multipart(self, at: datetime, hour: Hour, who: Mapping[str, Any], key: str) -> None:
        upload = self._id("U")
        for name in ("CreateMultipartUpload", "UploadPart", "UploadPart"):
            self._call(at, hour, who, name, "raw", key, uploadId=upload)
        first = self._put(at, hour, who, "raw", key, "CompleteMultipartUpload", uploadId=upload)
        if hour.activity is Activity.MULTIPART_TWICE:
            again = at + timedelta(seconds=hour.dialect)
            answer = {"x-amz-version-id": first} if hour.version_named else None
            self._call(
                again, hour, who, "CompleteMultipartUpload", "raw", key, answer, uploadId=upload
            )

    def _run(self, at: datetime, hour: Hour) -> None:
        if hour.activity is Activity.SPARK:
            self._spark(at, hour)
        elif hour.activity is Activity.ROTATE:
            self._rotate(at, hour)
        elif hour.activity is Activity.PUBLISH:
            self._publish(at, hour, self._session(at, hour, AIRFLOW, service("airflow")))
        else:
            self._deploy(at, hour)

    def _spark(self, at: datetime, hour: Hour) -> None:
        layer, job = hour.layer, self._session(at, hour, GLUE, service("glue"))
        folder = f"{LAYERS[layer]}/customers/dt=2026-11-01"
        work = f"{folder}/_temporary/0/task-{hour.key}/part-0.parquet"
        part = f"{folder}/run={self._id('run-')}/part-0.parquet"
        seconds = iter(range(60))

        def then() -> datetime:
            return at + timedelta(seconds=next(seconds))

        self._put(then(), hour, job, layer, work)
        self._put(then(), hour, job, layer, part, "CopyObject")
        self._put(then(), hour, job, layer, f"{folder}/")
        for key in (work, f"{folder}/", f"{folder}_$folder$"):
            marker = {"x-amz-version-id": self._id("m"), "x-amz-delete-marker": "true"}
            answer = marker if hour.version_named else None
            self._call(then(), hour, job, "DeleteObject", layer, key, answer)
        self._call(then(), hour, job, "DeleteObjects", layer, "", delete="")
        lineage = f"provenance/lineage/dt=2026-11-01/{self._id('l')}.json"
        answer = {"x-amz-version-id": self._id("p")}
        self._call(then(), hour, job, "PutObject", PROVENANCE, lineage, answer)

    def _publish(self, at: datetime, hour: Hour, airflow: Mapping[str, Any]) -> None:
        """Airflow makes a table of ours, and points a partition that is there already."""
        table = {"databaseName": "custody_local", "tableInput": {"name": "reconciliation"}}
        self._manage(at, hour, call("glue", "CreateTable", dict(airflow), table))
        self._manage(at, hour, partition_moved(dict(airflow)))
        run = {"jobName": "custody-local-reconcile"}
        self._manage(at, hour, call("glue", "StartJobRun", dict(airflow), run))

    def _rotate(self, at: datetime, hour: Hour) -> None:
        who, key = dict(_user(UPLOADERS[hour.who])), self._id("AKIA")
        name = who["arn"].rpartition("/")[2]
        made = {"accessKey": {"userName": name, "accessKeyId": key, "status": "Active"}}
        self._manage(at, hour, call("iam", "CreateAccessKey", who, {"userName": name}, made))
        with_it = {**who, "accessKeyId": key}
        ended = {"userName": name, "accessKeyId": "AKIAOLD"}
        self._manage(at, hour, call("iam", "DeleteAccessKey", with_it, ended))
        self._put(at + timedelta(minutes=1), hour, with_it, "raw", KEYS[hour.key])

    def _deploy(self, at: datetime, hour: Hour) -> None:
        """What CloudFormation calls for an engineer, and what a console asks all day."""
        engineer = dict(_user(ENGINEER)) | {"invokedBy": "cloudformation.amazonaws.com"}
        clock = f"{at:%H:%M:%S}"
        self._manage(
            at, hour, switched("UpdateTrail", engineer, clock, enableLogFileValidation=True)
        )
        self._manage(at, hour, switched("StartLogging", engineer, clock))
        order = {"changeSetName": "arn:aws:cloudformation:x:1:changeSet/d/1", "stackName": STACK}
        self._manage(
            at, hour, call("cloudformation", "ExecuteChangeSet", dict(_user(ENGINEER)), order)
        )
        role = {**_session_of(DEPLOYMENT, "AWSCloudFormation"), "accessKeyId": self._id("ASIA")}
        for deployer in (engineer, role | {"invokedBy": "cloudformation.amazonaws.com"}):
            for source, name, asked in DEPLOYED:
                self._manage(at, hour, call(source, name, dict(deployer), asked))
        grants = {"keyId": "custody-local-key", "operations": ["Decrypt"]}
        self._manage(at, hour, call("kms", "CreateGrant", service("glue"), grants))
        self._manage(at, hour, call("ec2", "DescribeInstances", {}, "HIDDEN"))
        theirs = {"databaseName": "of_others", "name": "t"}
        self._manage(at, hour, call("glue", "DeleteTable", engineer, theirs))
        self._publish(at, hour, self._session(at, hour, AIRFLOW, dict(_user(ENGINEER))))

    def _session(
        self, at: datetime, hour: Hour, role: str, by: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Somebody takes a role, and acts in the session."""
        key, name = self._id("ASIA"), role.rpartition("-")[2]
        self._manage(at, hour, role_taken(name, key, dict(by)))
        return {**_session_of(role, "session"), "accessKeyId": key}

    def _manage(self, at: datetime, hour: Hour, record: Mapping[str, Any]) -> None:
        """A management event arrives as data events do: repeated, late, perhaps amended."""
        whole = {
            **record,
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventID": self._id("m"),
            "requestID": self._id("R"),
        }
        partial = {name: value for name, value in whole.items() if name not in hour.late}
        for copy in range(hour.deliveries):
            delay = timedelta(seconds=hour.event_delay * (copy + 1) // hour.deliveries)
            self.arrivals.append((at + delay, partial))
        if hour.late:
            addendum = {"reason": "UPDATED_DATA", "originalEventID": whole["eventID"]}
            late = whole | {"eventID": self._id("m"), "addendum": addendum}
            self.arrivals.append((at + timedelta(seconds=hour.addendum_delay), late))

    # What S3, the recorder and CloudTrail make of it.

    def _put(
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
        version, request = self._id("v"), self._id("R")
        size = 100 + self._serial
        sha256 = hashlib.sha256(version.encode()).hexdigest()
        self.writes.add(Write(bucket, key, version, who["arn"], sha256, size))
        received = {"PutObject": size + 80 * (hour.dialect % 2)}.get(name, 0)
        answer = {"x-amz-version-id": version} if hour.version_named else None
        if name == "CopyObject":
            answer = {"x-amz-copy-source-version-id": "v0"} | (answer or {})
        self._call(
            at, hour, who, name, bucket, key, answer, request=request, received=received, **asked
        )
        told = notice(bucket=bucket, key=key, size=size, version_id=version) | {
            "eventTime": format_utc(at + timedelta(milliseconds=137 * hour.dialect)),
            "eventName": f"ObjectCreated:{_NOTIFIED[name]}",
            "userIdentity": {"principalId": f"AWS:{who['principalId']}"},
            "requestParameters": {"sourceIPAddress": _TOLD_FROM[hour.dialect]},
            "responseElements": {"x-amz-request-id": request, "x-amz-id-2": f"{request}-host"},
        }
        if hour.record_delay // hour.notifications > NOTED_SECONDS:
            self._note_late(told, at + timedelta(seconds=NOTED_SECONDS), hour)
        for copy in range(hour.notifications):
            delay = timedelta(seconds=hour.record_delay * (copy + 1) // hour.notifications)
            self._record(told, sha256, at + delay, hour)
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
        me = self._session(hashed_at, hour, RECORDER, service("lambda"))
        if place in self.records:
            self._refused(hashed_at, hour, me, "PutObject", PROVENANCE, place, "PreconditionFailed")
            return
        stored = self._id("p")
        self.records[place] = read_envelope(
            _signed(to_statement(record), hashed_at).to_json_line(),
            TRUSTED,
            stored=ObjectVersion(PROVENANCE, place, stored),
            stored_at=hashed_at,
        )
        answer = {"x-amz-version-id": stored}
        self._call(hashed_at, hour, me, "PutObject", PROVENANCE, place, answer)

    def _note_late(self, told: Mapping[str, Any], at: datetime, hour: Hour) -> None:
        """The recorder, which cannot record yet, says so."""
        created = object_created(told)
        place = late_key(created.event.time, record_id(created.version))
        me = self._session(at, hour, RECORDER, service("lambda"))
        answer = {"x-amz-version-id": self._id("p")}
        self._call(at, hour, me, "PutObject", PROVENANCE, place, answer)

    def _refused(
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

    def _call(
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
            "requestID": request or self._id("R"),
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
            late = whole | {"eventID": self._id("e"), "addendum": addendum}
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
            "eventID": self._id("e"),
            "readOnly": read_only if hour.dialect % 2 else str(read_only).lower(),
            "managementEvent": False,
            "eventCategory": "Data",
        }

    def _id(self, kind: str) -> str:
        self._serial += 1
        return f"{kind}{self._serial}"


_NOTIFIED: Final = {
    "PutObject": "Put",
    "CopyObject": "Copy",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}


def _user(arn: str) -> Mapping[str, Any]:
    name = arn.rpartition("/")[2]
    return {"type": "IAMUser", "principalId": f"AIDA{name}", "arn": arn, "userName": name}


def _session_of(role: str, session: str) -> Mapping[str, Any]:
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


_KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("key-1", "key-2")}
_ROTATED = START + timedelta(hours=12)
TRUSTED: Final = {
    name: TrustedKey(
        key_id=name,
        der=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        valid_from=START if name == "key-1" else _ROTATED,
        valid_until=_ROTATED if name == "key-1" else None,
    )
    for name, key in _KEYS.items()
}


def _signed(payload: bytes, at: datetime) -> Envelope:
    """Signed with the key of its time: in the middle of the first day it is replaced."""
    name = "key-1" if at < _ROTATED else "key-2"
    sig = _KEYS[name].sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
    return Envelope(payload, PAYLOAD_TYPE, (Signature(name, sig),))
