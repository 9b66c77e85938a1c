"""What was made from an object version: the runs that read it, those that read what these made, and
so on, as the runs stated and signed it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from custody.core.lineage.model import HashedObject, Lineage, Run, is_day, run_of
from custody.objects import ObjectVersion

_DAY: Final = re.compile(r"(?:^|/)dt=(\d{4}-\d{2}-\d{2})/", re.ASCII)


@dataclass(frozen=True, slots=True)
class Onward:
    """A run, what it read of that which was asked for, and the runs that read what it made."""

    lineage: Lineage
    read: tuple[HashedObject, ...]
    onward: tuple[Onward, ...]

    def walk(self) -> Iterator[Onward]:
        """This run and all behind it."""
        yield self
        for each in self.onward:
            yield from each.walk()


def made_from(
    versions: Collection[ObjectVersion], lineages: Sequence[Lineage]
) -> tuple[Onward, ...]:
    """The runs among `lineages` that read any of these versions, in order of time."""
    return _made_from(frozenset(versions), lineages, frozenset())


def _made_from(
    versions: frozenset[ObjectVersion], lineages: Sequence[Lineage], seen: frozenset[Run]
) -> tuple[Onward, ...]:
    found = []
    for lineage in sorted(lineages, key=lambda each: (each.started_on, each.run.id)):
        read = tuple(item for item in lineage.inputs if item.version in versions)
        if not read or lineage.run in seen:
            continue
        outputs = frozenset(item.version for item in lineage.outputs)
        onward = _made_from(outputs, lineages, seen | {lineage.run})
        found.append(Onward(lineage, read, onward))
    return tuple(found)


def day_of(key: str, written: datetime) -> date:
    """The day that runs are about which read an object: the one in its key, else that of its
    write."""
    run = run_of(key)
    named = _DAY.search(key)
    day = run.dt if run else named[1] if named else ""
    return date.fromisoformat(day) if is_day(day) else written.astimezone(UTC).date()
