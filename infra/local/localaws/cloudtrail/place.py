"""The account and region whose calls are recorded and delivered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One account in one region; every bucket of the local AWS is there."""

    account_id: str
    region: str
