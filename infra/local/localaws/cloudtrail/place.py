"""The account and region whose calls are recorded and delivered, and which region a call is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.settings import GLOBAL_REGION

_WITHOUT_A_REGION = frozenset({"account", "cloudfront", "iam", "organizations", "route53"})


@dataclass(frozen=True, slots=True)
class Place:
    """One account in one region."""

    account_id: str
    region: str


def region_of_call(service: str, signed_for: str, regions: Sequence[str]) -> str:
    """The region in which CloudTrail logs a call of `service` that was signed for a region.

    `regions` are those of the account, the first of them that of every bucket. The global
    endpoint of STS is signed for the region of global services. AWS refuses a call for a region
    that is not enabled; here it is served, and logged where the buckets are.

    Source: "Global service events" in the AWS CloudTrail User Guide.
    """
    if service in _WITHOUT_A_REGION:
        return GLOBAL_REGION
    return signed_for if service != "s3" and signed_for in regions else regions[0]
