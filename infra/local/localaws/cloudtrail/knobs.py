"""What AWS does not have: making delivery late, double, disordered or incomplete on purpose.

CloudTrail promises none of order, punctuality or singleness; these knobs let a rehearsal see each
of them when it wants to. With the same seed and the same events the same thing happens again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from localaws.cloudtrail.recording.events import Record
from localaws.protocol import AwsError

_MAX_SECONDS = 86400.0
_MAX_RULES = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """How events are delivered until told otherwise.

    Every event is held back `delay_seconds` plus a random part of `reorder_seconds` (so later
    events may come in earlier files), and comes twice with `duplicate_probability`.
    """

    delay_seconds: float = 0.0
    reorder_seconds: float = 0.0
    duplicate_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """The next `count` events that fit; a field that is None fits everything."""

    event_name: str | None
    bucket: str | None
    key: str | None
    count: int

    def fits(self, record: Record) -> bool:
        """Whether an S3 data event fits."""
        parameters = record["requestParameters"] or {}
        return (
            self.event_name in (None, record["eventName"])
            and self.bucket in (None, parameters.get("bucketName"))
            and self.key in (None, parameters.get("key"))
        )


class Knobs:
    """The knobs as they stand. They do not survive a restart: a new start is an honest one."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - rehearsed accidents, not secrets
        # Its own source: how events fall into files depends on time and must not move accidents.
        self._order = random.Random(seed)  # noqa: S311
        self.pace = Pace()
        self._drops: list[Match] = []
        self._duplicates: list[Match] = []
        self.dropped = 0

    def holds(self, record: Record) -> list[float]:
        """How long to hold back each copy of an event, in seconds; no copies when it is lost."""
        # Always as many draws per event, so that one knob does not change what another one does.
        jitter, again, chance = (self._random.random() for _ in range(3))
        if self._take(self._drops, record):
            self.dropped += 1
            return []
        first = self.pace.delay_seconds + jitter * self.pace.reorder_seconds
        twice = self._take(self._duplicates, record) or chance < self.pace.duplicate_probability
        return [first, first + again * self.pace.reorder_seconds] if twice else [first]

    def shuffle(self, records: list[Record]) -> None:
        """Put the records of one file into no order, as AWS's are."""
        self._order.shuffle(records)

    def set_pace(self, payload: Mapping[str, Any]) -> None:
        """Change what `payload` names; `seed` starts the accidents anew.

        Raises AwsError `ValidationException` naming the field.
        """
        unknown = set(payload) - {"seed", *asdict(self.pace)}
        if unknown:
            raise AwsError("ValidationException", f"unknown knob {', '.join(sorted(unknown))}")
        limits = {
            "delay_seconds": _MAX_SECONDS,
            "reorder_seconds": _MAX_SECONDS,
            "duplicate_probability": 1.0,
        }
        changes = {
            name: _number(payload, name, most) for name, most in limits.items() if name in payload
        }
        if "seed" in payload:
            self._random.seed(int(_number(payload, "seed", 2.0**63)))
        self.pace = replace(self.pace, **changes)

    def drop_next(self, payload: Mapping[str, Any]) -> None:
        """Lose the next events that fit."""
        _add(self._drops, payload)

    def duplicate_next(self, payload: Mapping[str, Any]) -> None:
        """Deliver the next events that fit twice."""
        _add(self._duplicates, payload)

    def state(self) -> dict[str, Any]:
        """The knobs as JSON."""
        return {
            **asdict(self.pace),
            "drops_waiting": [asdict(match) for match in self._drops],
            "duplicates_waiting": [asdict(match) for match in self._duplicates],
            "dropped": self.dropped,
        }

    @staticmethod
    def _take(rules: list[Match], record: Record) -> bool:
        for index, match in enumerate(rules):
            if match.fits(record):
                if match.count > 1:
                    rules[index] = replace(match, count=match.count - 1)
                else:
                    del rules[index]
                return True
        return False


def _add(rules: list[Match], payload: Mapping[str, Any]) -> None:
    unknown = set(payload) - {"event_name", "bucket", "key", "count"}
    if unknown:
        raise AwsError("ValidationException", f"unknown field {', '.join(sorted(unknown))}")
    if len(rules) >= _MAX_RULES:
        raise AwsError("ValidationException", f"more than {_MAX_RULES} rules are waiting")
    for name in ("event_name", "bucket", "key"):
        if not isinstance(payload.get(name), str | None):
            raise AwsError("ValidationException", f"{name}: give a text")
    count = _number({"count": 1, **payload}, "count", 1e6)
    if count < 1 or count != int(count):
        raise AwsError("ValidationException", "count: give a whole number from 1")
    rules.append(
        Match(payload.get("event_name"), payload.get("bucket"), payload.get("key"), int(count))
    )


def _number(payload: Mapping[str, Any], name: str, most: float) -> float:
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise AwsError("ValidationException", f"{name}: give a number from 0 to {most:g}")
    return float(value)
