"""Lives and cases for pages; few lives are kept, and as long as the evidence they are made of."""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import Final

from custody.console.evidence import CurrentEvidence, Evidence
from custody.console.lives import life_of, look_up
from custody.core.console.objects.life import Life
from custody.core.console.overview import Overview
from custody.reading.archive import write_archive
from custody.reading.gathering import Unwatched, gather
from custody.reading.packing import pack

MOST_BEHIND: Final = 500
"""Versions behind an object of which a case is made here."""

_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class Case:
    """The file of a case, and what it is called."""

    name: str
    content: bytes


class Objects:
    """Lives and cases of the objects of a deployment."""

    def __init__(self, current: CurrentEvidence) -> None:
        self._current = current
        self._kept: OrderedDict[tuple[str, str, date], tuple[Evidence, Life]] = OrderedDict()

    def life(self, typed: str, version_id: str, overview: Overview) -> Life:
        """What is known of the object that somebody typed, of its last version if none is named.

        Raises `NotAsked`, `NoSuchObject`, `CannotCheck`, or what botocore raises.
        """
        with self._current.lock:
            asked, evidence = (typed, version_id, overview.first), self._current.now()
            kept = self._kept.get(asked)
            if kept is None or kept[0] is not evidence:
                lineages = self._current.lineages
                kept = evidence, life_of(evidence, typed, version_id, overview, lineages)
            self._kept[asked] = kept
            self._kept.move_to_end(asked)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return kept[1]

    def case(self, typed: str, version_id: str) -> Case:
        """The case of a version: what `custody export --no-trail` makes of it.

        Raises `NotAsked`, `NoSuchObject`, `CannotCheck`, or what botocore raises.
        """
        with self._current.lock:
            evidence = self._current.now()
            found = look_up(evidence, typed, version_id).found
            gathered = gather(evidence, found, Unwatched(), with_trail=False, most=MOST_BEHIND)
            file = io.BytesIO()
            write_archive(file, pack(evidence, gathered))
        return Case(f"custody-case-{found.last_modified:%Y-%m-%d}.zip", file.getvalue())
