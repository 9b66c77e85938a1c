"""Whether what a record says of a write's call is what CloudTrail's events of the write show.

A record has it from S3's notification, and a notification that somebody else sent is believed by
nobody: who called, from where and with which request is compared with the events. Formats: "Event
message structure" in the Amazon S3 User Guide, "CloudTrail userIdentity element" and "CloudTrail
record contents" in the AWS CloudTrail User Guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from custody.core.records.model import LandingEvent, Record
from custody.core.trail.events import TrailEvent

_SAME_ID: Final = frozenset({"AssumedRole", "IAMUser"})
"""The callers whom S3 and CloudTrail call by one id: S3 has others of its own for a root user, and
none for a service."""

_OF_A_VPC: Final = tuple(
    map(ip_network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
"""Addresses of requests through a VPC endpoint: nothing says that both witnesses see one."""


def claimed_id(claim: Record) -> str | None:
    """The principal id in a record, as CloudTrail writes it: S3 notifications prefix `AWS:`."""
    return claim.event.principal_id.removeprefix("AWS:") or None


def names_other_request(claim: Record, writes: Sequence[TrailEvent]) -> bool:
    """Whether a record is about none of the requests that wrote the version, as far as known."""
    requests = {event.request_id for event in writes}
    return bool(requests) and None not in requests and claim.event.request_id not in requests


def names_other_caller(claim: Record, writes: Sequence[TrailEvent]) -> bool:
    """Whether whoever made the request that a record is about is somebody else, or called from
    somewhere else, than the record says."""
    told = [event for event in writes if event.request_id in (claim.event.request_id, None)]
    return bool(told) and not any(
        _same_principal(claim, event) and _same_address(claim.event, event) for event in told
    )


def _same_principal(claim: Record, event: TrailEvent) -> bool:
    who = event.who
    # Whoever took a role is not in the notification of what he wrote with it.
    if who.type not in _SAME_ID or who.acting_as is not None:
        return True
    return who.id is None or who.id == claimed_id(claim)


def _same_address(claim: LandingEvent, event: TrailEvent) -> bool:
    """Whether it is one address; CloudTrail names a service where one called for somebody."""
    seen = _address(event.source_ip)
    if seen is None or any(seen in network for network in _OF_A_VPC):
        return True
    return seen == _address(claim.source_ip)


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text or "")
    except ValueError:
        return None
