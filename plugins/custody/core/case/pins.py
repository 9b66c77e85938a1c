"""The deployment that evidence has to be of, as an auditor wrote it down once.

Settings are the word of the account under audit: whoever may change them could point an auditor at
another bucket, or at a trail that was never switched off, or is awaited less often. So these are
kept with the keys (`custody.core.case.key_ring`), and what the account says later is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from custody.core.formats.s3_fields import bucket_name
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.seal.layout import log_origin
from custody.core.trail.layout import TrailLayout

DATA: Final = ("raw", "processed", "analytics")
"""The buckets of data."""

_BUCKETS: Final = (*DATA, "provenance", "trail")
_ELSEWHERE: Final = ("organization_id", "foreign_trail")
"""Fields that are there only if something of the trail is not the account's own."""


@dataclass(frozen=True)
class Pins:
    """One deployment: its account and region, its buckets (`raw`, `processed`, `analytics`,
    `provenance`, `trail`), its trail, and how long the period of a digest is; the organization that
    the trail logs, and the trail's ARN if it is another account's (each empty if not)."""

    account_id: str
    region: str
    buckets: Mapping[str, str]
    trail: str
    cadence: timedelta
    organization_id: str = ""
    foreign_trail: str = ""

    @property
    def trail_id(self) -> str:
        """What CloudTrail knows the trail by in the deployment's account."""
        return self.foreign_trail or self.trail

    @property
    def provenance_bucket(self) -> str:
        return self.buckets["provenance"]

    @property
    def data_buckets(self) -> frozenset[str]:
        return frozenset(self.buckets[name] for name in DATA)

    @property
    def origin(self) -> str:
        """The name of the seal's log."""
        return log_origin(self.provenance_bucket)

    @property
    def layout(self) -> TrailLayout:
        """Where the trail delivers."""
        return TrailLayout(
            bucket=self.buckets["trail"],
            account_id=self.account_id,
            region=self.region,
            trail=self.trail,
            home_region=self.region,
            organization_id=self.organization_id,
        )

    def differences(self, other: Pins) -> list[str]:
        """What `other` says otherwise, each in a clause."""
        mine, others = self.facts(), other.facts()
        return [
            f"{name} is {others[name]}, not {value}"
            for name, value in mine.items()
            if others[name] != value
        ]

    def document(self) -> dict[str, object]:
        """What `parse` reads."""
        return {
            "account_id": self.account_id,
            "region": self.region,
            "buckets": dict(self.buckets),
            "trail": self.trail,
            "digest_seconds": int(self.cadence.total_seconds()),
            **{name: getattr(self, name) for name in _ELSEWHERE if getattr(self, name)},
        }

    @classmethod
    def parse(cls, fields: Fields) -> Pins:
        """Raises `MalformedInput` naming the field."""
        buckets, seconds = fields.child("buckets"), fields.count("digest_seconds")
        if not seconds:
            raise MalformedInput(fields.where("digest_seconds"), "must be at least one second")
        return cls(
            account_id=fields.text("account_id"),
            region=fields.text("region"),
            buckets={name: bucket_name(buckets, name) for name in _BUCKETS},
            trail=fields.text("trail"),
            cadence=timedelta(seconds=seconds),
            **{name: fields.text(name) for name in _ELSEWHERE if name in fields.values},
        )

    def facts(self) -> dict[str, str]:
        """All of it, each by what it is called in a sentence."""
        return {
            "the account": self.account_id,
            "the region": self.region,
            **{f"the {name} bucket": self.buckets[name] for name in _BUCKETS},
            "the trail": self.trail,
            "the period of a digest": f"{int(self.cadence.total_seconds())} s",
            "the organization": self.organization_id or "none",
            "the trail's ARN": self.foreign_trail or "of the account",
        }
