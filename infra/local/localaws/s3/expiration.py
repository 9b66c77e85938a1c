"""S3's lifecycle rules, run when a rehearsal asks: S3 runs them once a day, and nobody can wait.

On AWS they are acted on from within S3, past its endpoints, so CloudTrail has no data event of it
("How S3 Lifecycle interacts with other bucket configurations" in the Amazon S3 User Guide). Nor
has the trail here.

Only expiration is acted out, by prefix: of current versions (`Days`, `Date`), of noncurrent
ones (`NoncurrentDays`) and of delete markers with nothing left behind them, in buckets with
versions. A rule that picks its objects in another way is refused rather than half obeyed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import s3

from localaws.protocol import AwsError, AwsRequest, AwsResponse, json_object
from localaws.settings import Settings

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object, or a delete marker, and when it came."""

    version_id: str
    created: dt.datetime
    is_marker: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """What an enabled rule says of objects that begin with `prefix`; None: nothing."""

    prefix: str
    days: int | None
    date: dt.datetime | None
    noncurrent_days: int | None
    markers: bool

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> Rule:
        """Read a rule as ministack keeps it; raises AwsError for what is not acted out."""
        kept = rule.get("Filter") or {}
        expiration = rule.get("Expiration", {})
        noncurrent = rule.get("NoncurrentVersionExpiration", {})
        if set(kept) - {"Prefix"} or "NewerNoncurrentVersions" in noncurrent:
            raise AwsError("NotImplemented", f"the local AWS cannot act out this rule: {rule}", 501)
        date = expiration.get("Date")
        return cls(
            prefix=kept.get("Prefix", ""),
            days=expiration.get("Days"),
            date=dt.datetime.fromisoformat(date) if date else None,
            noncurrent_days=noncurrent.get("NoncurrentDays"),
            markers=bool(expiration.get("ExpiredObjectDeleteMarker")),
        )

    def expires(self, versions: Sequence[Version], as_of: dt.datetime) -> Iterator[Version]:
        """Which of an object's `versions`, oldest first, have had their time.

        For the last one, if it is no marker, that means that it is hidden behind one.
        """
        current = versions[-1]
        if not current.is_marker:
            if self._is_old(current, as_of) or (self.date is not None and self.date <= as_of):
                yield current
        elif len(versions) == 1 and (self.markers or self._is_old(current, as_of)):
            yield current  # S3 clears these under every rule by which objects expire at an age
        if self.noncurrent_days is not None:
            for version, successor in pairwise(versions):
                if _midnight_after(successor.created, self.noncurrent_days) <= as_of:
                    yield version

    def _is_old(self, version: Version, as_of: dt.datetime) -> bool:
        return self.days is not None and _midnight_after(version.created, self.days) <= as_of


def _midnight_after(moment: dt.datetime, days: int) -> dt.datetime:
    """S3 adds the days and rounds up to the next midnight, UTC."""
    later = moment + days * _DAY
    midnight = later.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == later else midnight + _DAY


class Lifecycle:
    """`POST /_local/s3/expire {"bucket", "as_of"}`: what S3 does in one night of a bucket."""

    name = "s3"
    targets: frozenset[str] = frozenset()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def handle(self, request: AwsRequest) -> AwsResponse:
        """No call of AWS's is ours."""
        raise AwsError("UnknownOperationException", request.target or request.path)

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:
        """Expire what the bucket's rules say as of `as_of`; answers how many it hid and deleted.

        One call is one night: what it makes noncurrent has its time in a later one.
        """
        if (method, path.strip("/")) != ("POST", "expire"):
            raise AwsError(
                "ResourceNotFoundException", f"no {method} {path!r}; there is POST expire", 404
            )
        payload = json_object(body)
        bucket = str(payload.get("bucket", ""))
        try:
            as_of = dt.datetime.fromisoformat(str(payload.get("as_of")))
        except ValueError as error:
            raise AwsError("InvalidArgument", f"as_of: {error}") from error
        with request_scope(self._settings.account_id, self._settings.region):
            if s3._buckets.get(bucket) is None:  # noqa: SLF001
                raise AwsError("NoSuchBucket", f"there is no bucket {bucket!r}", 404)
            return AwsResponse.of(_expire(bucket, as_of))


def _expire(bucket: str, as_of: dt.datetime) -> dict[str, int]:
    kept: Sequence[Mapping[str, Any]] = s3._bucket_lifecycle.get(bucket) or []  # noqa: SLF001
    rules = [Rule.of(rule) for rule in kept if rule["Status"] == "Enabled"]
    done = {"hidden": 0, "deleted": 0}
    for name, key in [found for found in s3._object_versions if found[0] == bucket]:  # noqa: SLF001
        known = [
            Version(
                version["version_id"],
                dt.datetime.fromisoformat(version["last_modified"]),
                bool(version.get("is_delete_marker")),
            )
            for version in s3._object_versions[name, key]  # noqa: SLF001
        ]
        due = {
            version
            for rule in rules
            if key.startswith(rule.prefix)
            for version in rule.expires(known, as_of)
        }
        for version in known:
            if version not in due:
                continue
            if version is known[-1] and not version.is_marker:
                _hide(bucket, key)
                done["hidden"] += 1
            elif s3._check_object_lock(bucket, key, {}, version.version_id) is None:  # noqa: SLF001
                s3._delete_object_version(s3._buckets[bucket], bucket, key, version.version_id)  # noqa: SLF001
                done["deleted"] += 1
    return done


def _hide(bucket: str, key: str) -> None:
    objects = s3._buckets[bucket]["objects"]  # noqa: SLF001
    s3._record_delete_marker(bucket, key, objects.get(key))  # noqa: SLF001
    objects.pop(key, None)
