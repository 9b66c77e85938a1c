"""How CloudTrail delivers on this machine; everything comes from the environment, once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from localaws.settings import SettingsError


@dataclass(frozen=True, slots=True)
class CloudTrailSettings:
    """Pace and bounds of delivery.

    AWS delivers log files every five minutes or so and digests every hour. Here files come every
    `delivery_seconds` so that nobody waits; digests stay hourly unless `digest_seconds` says
    otherwise. Digest windows end on multiples of it, counted from midnight UTC.
    """

    delivery_seconds: float = 2.0
    digest_seconds: int = 3600
    seed: int = 0
    events_per_file: int = 2000
    # After a long stop, at most this many digests are made up; the first covers the rest.
    catch_up_digests: int = 48

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> CloudTrailSettings:
        """Read LOCAL_CLOUDTRAIL_DELIVERY_SECONDS, _DIGEST_SECONDS and _SEED.

        Raises SettingsError naming the variable.
        """
        return cls(
            delivery_seconds=_seconds(env, "LOCAL_CLOUDTRAIL_DELIVERY_SECONDS", 2.0),
            digest_seconds=_whole(env, "LOCAL_CLOUDTRAIL_DIGEST_SECONDS", 3600, 1, 86400),
            seed=_whole(env, "LOCAL_CLOUDTRAIL_SEED", 0, 0, 2**63),
        )


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.05 <= value <= 3600:
        raise SettingsError(f"{name}={text!r}: give seconds from 0.05 to 3600")
    return value


def _whole(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise SettingsError(f"{name}={text!r}: give a whole number from {least} to {most}")
    return int(text)
