"""The trails of the account, as ministack's control plane holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ministack.services import cloudtrail

from localaws.cloudtrail.selectors import Selector


@dataclass(frozen=True, slots=True)
class Trail:
    """One trail. `prefix` has no slash at its end and may be empty; `kms_key_id` may be None."""

    arn: str
    name: str
    home_region: str
    multi_region: bool
    bucket: str
    prefix: str
    kms_key_id: str | None
    logging: bool
    validated: bool
    selectors: Sequence[Selector]

    def covers(self, region: str) -> bool:
        """Whether the trail records what happens in `region`."""
        return self.multi_region or self.home_region == region


class Trails(Protocol):
    """Where trails come from."""

    def of(self, account_id: str) -> list[Trail]:
        """Every trail of an account, logging or not, in the order of their ARNs."""
        ...


class MinistackTrails:
    """Reads ministack's trails in process.

    Asking over HTTP would cost two calls for every S3 call, and a cached answer would let events
    slip past a trail just created: a selector holds from the moment `PutEventSelectors` answers.
    """

    def of(self, account_id: str) -> list[Trail]:
        found = []
        for (account, region, name), trail in list(cloudtrail._trails.all_items()):  # noqa: SLF001
            if account != account_id:
                continue
            selectors = cloudtrail._event_selectors.get_scoped(account, region, name, [])  # noqa: SLF001
            found.append(
                Trail(
                    arn=trail["TrailARN"],
                    name=trail["Name"],
                    home_region=trail["HomeRegion"],
                    multi_region=bool(trail.get("IsMultiRegionTrail")),
                    bucket=trail.get("S3BucketName", ""),
                    prefix=trail.get("S3KeyPrefix", "").rstrip("/"),
                    kms_key_id=trail.get("KmsKeyId") or None,
                    logging=bool(trail.get("IsLogging")),
                    validated=bool(trail.get("LogFileValidationEnabled")),
                    selectors=list(selectors),
                )
            )
        return sorted(found, key=lambda trail: trail.arn)
