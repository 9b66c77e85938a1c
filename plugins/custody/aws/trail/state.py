"""A trail's state from CloudTrail's API, and the public keys that CloudTrail signs digests with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa

from custody.core.trail.digests.signatures import load_digest_key
from custody.core.trail.state import TrailState

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient

_KEYS_AFTER: Final = timedelta(hours=2)
"""A digest is signed some time after its period; AWS's own validator allows as much."""

_REFUSALS: Final = frozenset(
    {
        "AccessDeniedException",
        "InvalidClientTokenId",
        "OptInRequired",
        "UnrecognizedClientException",
    }
)
"""How a region refuses: by a policy (organizations close regions), or as it is not enabled."""


class KeysRefused(Exception):
    """A region does not hand out its public keys; the message is its answer."""


class KnowsRegions(Protocol):
    """What of a client of EC2 is needed here."""

    def describe_regions(self) -> Any: ...


def enabled_regions(ec2: KnowsRegions) -> frozenset[str]:
    """The regions that the account has enabled, which a trail of all regions logs."""
    return frozenset(region["RegionName"] for region in ec2.describe_regions()["Regions"])


def read_trail_state(cloudtrail: CloudTrailClient, trail_arn: str) -> TrailState | None:
    """The trail as it stands, `None` if there is none; raises what botocore raises.

    `cloudtrail` must be a client of the trail's home region.
    """
    try:
        trails = cloudtrail.describe_trails(trailNameList=[trail_arn])["trailList"]
        if not trails:
            return None
        status = cloudtrail.get_trail_status(Name=trail_arn)
    except ClientError as error:
        if error.response["Error"]["Code"] == "TrailNotFoundException":
            return None
        raise
    (trail,) = trails
    return TrailState(
        bucket=trail.get("S3BucketName", ""),
        prefix=trail.get("S3KeyPrefix", "").rstrip("/"),
        logging=status.get("IsLogging", False),
        validated=trail.get("LogFileValidationEnabled", False),
        multi_region=trail.get("IsMultiRegionTrail", False),
        started_at=status.get("StartLoggingTime"),
        stopped_at=status.get("StopLoggingTime"),
        digest_error=status.get("LatestDigestDeliveryError", ""),
    )


def fetch_digest_keys(
    cloudtrail: CloudTrailClient, start: datetime, end: datetime
) -> dict[str, rsa.RSAPublicKey]:
    """The keys that may have signed digests of `start` to `end`, by fingerprint.

    `cloudtrail` must be a client of the region the logs are of: each has keys of its own. Raises
    `KeysRefused`, `ValueError` for a key that is not RSA, and what botocore raises.
    """
    pages = cloudtrail.get_paginator("list_public_keys").paginate(
        StartTime=start, EndTime=end + _KEYS_AFTER
    )
    try:
        return {
            key["Fingerprint"]: load_digest_key(key["Value"])
            for page in pages
            for key in page["PublicKeyList"]
        }
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _REFUSALS:
            raise KeysRefused(code) from error
        raise
