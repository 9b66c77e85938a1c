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


@dataclass(frozen=True)
class Pins:
    """One deployment: its account and region, its buckets (`raw`, `processed`, `analytics`,
    `provenance`, `trail`), its trail, and how long the period of a digest is."""

    account_id: str
    region: str
    buckets: Mapping[str, str]
    trail: str
    cadence: timedelta

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
        )

    def facts(self) -> dict[str, str]:
        """All of it, each by what it is called in a sentence."""
        return {
            "the account": self.account_id,
            "the region": self.region,
            **{f"the {name} bucket": self.buckets[name] for name in _BUCKETS},
            "the trail": self.trail,
            "the period of a digest": f"{int(self.cadence.total_seconds())} s",
        }
