"""The row of the ledger, and what identifies it: a finding is a row that pages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from custody.core.ledger.policy import Policy
from custody.core.ledger.verdicts import Verdict
from custody.core.trail.principals import Call
from custody.objects import UNVERSIONED, ObjectVersion

CATALOG: Final = "AwsDataCatalog"
"""Stands for a bucket in rows about the Glue catalog: Athena's name of it, and no bucket's."""

CONTROL: Final = "AwsControl"
"""Stands for a bucket in rows about controls; it is no bucket's name, for its capitals."""

_BESIDE_BUCKETS: Final = {CATALOG: "catalog", CONTROL: "control"}
"""What stands for the layer of what is in no bucket."""

_AnyCall = TypeVar("_AnyCall", bound=Call)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One write or removal of an object version, or one record without a write.

    The fields are the columns of the table `reconciliation`; `record_key`, `log_key` and
    `digest_key` name the evidence: the record, the log file that holds the event, and the digest
    that vouches for that file (or, for a defect of the trail that no event explains, shows it).
    """

    event_time: datetime
    event_name: str | None
    bucket: str
    object_key: str
    version_id: str
    principal_arn: str | None
    principal_type: str | None
    source_ip: str | None
    user_agent: str | None
    request_id: str | None
    event_id: str | None
    sha256: str | None
    size_bytes: int | None
    hashed_at: datetime | None
    key_id: str | None
    pipeline_layer: str | None
    verdict: str
    verdict_reason: str
    fingerprint: str
    record_key: str | None
    log_key: str | None
    digest_key: str | None

    @property
    def object_version(self) -> ObjectVersion:
        """The object version it is about."""
        return ObjectVersion(self.bucket, self.object_key, self.version_id)

    @property
    def is_claimed(self) -> bool:
        """Whether its principal is only claimed, by a record: no event shows that it was he."""
        return self.principal_arn is not None and self.event_id is None

    @property
    def partition(self) -> tuple[str, str]:
        """`dt` and `hour` of the partition it stands in: those of its time in UTC."""
        at = self.event_time.astimezone(UTC)
        return f"{at:%Y-%m-%d}", f"{at:%H}"


def fingerprint(verdict: str, version: ObjectVersion) -> str:
    """What makes two findings the same one: the verdict and the object version.

    The version id is whatever tells the version from the key's others: where it is not named, the
    request that wrote it (`named_by_request`).
    """
    text = "\n".join((verdict, version.bucket, version.version_id, version.key))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def named_by_request(version: ObjectVersion, request_id: str | None) -> ObjectVersion:
    """The version as a fingerprint names it: else two unnamed ones of a key were one finding."""
    if version.version_id != UNVERSIONED:
        return version
    name = f"{UNVERSIONED} of request {request_id}"
    return ObjectVersion(version.bucket, version.key, name)


def proven_only(call: _AnyCall | None) -> _AnyCall | None:
    """The call, if it is proven: one that no digest covers may be invented, and names nobody."""
    return call if call is not None and call.proven else None


def row_of_call(
    verdict: Verdict,
    reason: str,
    version: ObjectVersion,
    *,
    time: datetime,
    policy: Policy,
    call: Call | None,
) -> LedgerRow:
    """A row about what a call did to an object (None: it is not known whose call), not about a
    version's write and record."""
    return LedgerRow(
        event_time=time,
        event_name=call.name if call else None,
        bucket=version.bucket,
        object_key=version.key,
        version_id=version.version_id,
        principal_arn=call.who.arn if call else None,
        principal_type=call.who.type if call else None,
        source_ip=call.source_ip if call else None,
        user_agent=call.user_agent if call else None,
        request_id=call.request_id if call else None,
        event_id=call.event_id if call else None,
        sha256=None,
        size_bytes=None,
        hashed_at=None,
        key_id=None,
        pipeline_layer=_BESIDE_BUCKETS.get(version.bucket) or policy.layers.get(version.bucket),
        verdict=verdict.value,
        verdict_reason=reason,
        fingerprint=fingerprint(verdict, version),
        record_key=version.key if verdict is Verdict.BAD_SIGNATURE else None,
        log_key=call.log if call else None,
        digest_key=call.digest if call else None,
    )


def row_of_request(
    verdict: Verdict, reason: str, version: ObjectVersion, *, policy: Policy, call: Call
) -> LedgerRow:
    """A row about what one call did, which is another finding if it is done again: else a second
    change would never be paged while the page of the first is open."""
    row = row_of_call(verdict, reason, version, time=call.time, policy=policy, call=call)
    named = ObjectVersion(
        version.bucket, version.key, f"{version.version_id} of request {_request(call)}"
    )
    return replace(row, fingerprint=fingerprint(verdict, named))


def _request(call: Call) -> str:
    return call.request_id or call.event_id
