"""How a trail must be set up to see what it is for: what it selects, and how it encrypts.

Formats: "AdvancedEventSelector" and "Trail" in the AWS CloudTrail API Reference. What the trail was
deployed with is in `infra/cloudformation/trail.yaml`; more than that it may select.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Selector = frozenset[tuple[str, str, tuple[str, ...]]]
"""An advanced event selector: each field, what is asked of it, and the values."""

_DATA: Final = ("eventCategory", "Equals", ("Data",))
_MANAGEMENT: Final = ("eventCategory", "Equals", ("Management",))
_OBJECTS: Final = ("resources.type", "Equals", ("AWS::S3::Object",))
_CHANGES: Final = ("readOnly", "Equals", ("false",))
_READS: Final = ("readOnly", "Equals", ("true",))


@dataclass(frozen=True, slots=True)
class TrailSetup:
    """What a trail selects, the ARN of the key that encrypts its files (None for S3's own), and
    whether it logs the services that are in no region."""

    selectors: frozenset[Selector]
    key_arn: str | None
    global_services: bool


def selectors_of(described: Sequence[Mapping[str, Any]]) -> frozenset[Selector]:
    """The advanced event selectors in an answer of `GetEventSelectors`."""
    return frozenset(
        frozenset(
            (str(field["Field"]), operator, tuple(sorted(map(str, values))))
            for field in selector["FieldSelectors"]
            for operator, values in field.items()
            if operator != "Field" and values
        )
        for selector in described
    )


def needed_selectors(
    *, partition: str, account_id: str, deployment: str, trail_bucket: str
) -> Mapping[str, Selector]:
    """The selectors without which something is not seen, by what each is for.

    `deployment` is what the names of its buckets begin with.
    """
    ours = f"arn:{partition}:s3:::{deployment}-"
    trail = f"arn:{partition}:s3:::{trail_bucket}/"
    copies = f"{ours}trail-replica-"
    copying = f"arn:{partition}:sts::{account_id}:assumed-role/{deployment}-replication/"
    place = "resources.ARN"
    return {
        "writes to the platform's buckets": frozenset(
            {
                *(_DATA, _OBJECTS, _CHANGES),
                (place, "StartsWith", (ours,)),
                (place, "NotStartsWith", tuple(sorted((trail, copies)))),
            }
        ),
        "what people and roles do to the trail": frozenset(
            {
                *(_DATA, _OBJECTS, _CHANGES),
                ("userIdentity.arn", "StartsWith", ("arn:",)),
                (place, "StartsWith", (trail,)),
            }
        ),
        "what people and other roles do to the trail's copy": frozenset(
            {
                *(_DATA, _OBJECTS, _CHANGES),
                ("userIdentity.arn", "StartsWith", ("arn:",)),
                ("userIdentity.arn", "NotStartsWith", (copying,)),
                (place, "StartsWith", (copies,)),
            }
        ),
        "changes of keys, roles, buckets, the trail and the catalog": frozenset(
            {_MANAGEMENT, _CHANGES}
        ),
        "who takes a role": frozenset(
            {_MANAGEMENT, _READS, ("eventSource", "NotEquals", ("kms.amazonaws.com",))}
        ),
    }


def setup_reasons(
    setup: TrailSetup, needed: Mapping[str, Selector], key_arns: Collection[str]
) -> list[str]:
    """What of a trail's setup is not as it was deployed, a sentence for each.

    `key_arns` are the keys that encrypt the platform's things; none if they are not known.
    """
    found = [
        f"The trail does not select {what} as it was deployed to: what happens is in no log."
        for what, selector in needed.items()
        if selector not in setup.selectors
    ]
    if key_arns and setup.key_arn not in key_arns:
        key = setup.key_arn or "none of ours"
        found.append(
            f"The trail encrypts its files with another key than it was deployed to: {key}."
        )
    if not setup.global_services:
        found.append("The trail does not log the services that are in no region, such as IAM.")
    return found
