"""From a file of silver or gold back to the object versions that landed, by signed lineage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from custody.core.lineage.model import HashedObject, Lineage, Run, run_of
from custody.core.lineage.trust import BadLineage, NoLineage, Read, Trust, lineage_of_run

LANDING_PREFIX: Final = "incoming/"
"""What the key of everything that landed begins with; no run's prefix does."""

_MAX_RUNS: Final = 1000
"""Runs behind one file; two layers need two."""


@dataclass(frozen=True)
class TracedRun:
    """A run and what it was made of, as far as lineage may be believed.

    `outputs` are those of its outputs that were asked for. `landed` are object versions it read
    that no run made. `sources` are the runs that made the others. `lineage` is None if there is
    none to believe; `troubles` says why, and what else does not fit.
    """

    run: Run
    outputs: tuple[HashedObject, ...]
    lineage: Lineage | None
    sources: tuple[TracedRun, ...]
    landed: tuple[HashedObject, ...]
    troubles: tuple[str, ...]

    def walk(self) -> Iterator[TracedRun]:
        """This run and all behind it."""
        yield self
        for source in self.sources:
            yield from source.walk()


def is_made(key: str) -> bool:
    """Whether the object of this key is one that a run makes."""
    return not key.startswith(LANDING_PREFIX) and run_of(key) is not None


def trace(output: HashedObject, read: Read, trust: Trust) -> TracedRun:
    """Follow `output` back; what `read` raises passes through.

    Raises `ValueError` for an object that no run makes.
    """
    run = run_of(output.version.key)
    if run is None or not is_made(output.version.key):
        raise ValueError(f"{output}: its key names no run, so there is no lineage of it")
    return _trace(run, (output,), read, trust, set())


def _trace(
    run: Run, outputs: Iterable[HashedObject], read: Read, trust: Trust, seen: set[Run]
) -> TracedRun:
    wanted = tuple(sorted(outputs))

    def untraced(reason: str) -> TracedRun:
        return TracedRun(run, wanted, None, (), (), (reason,))

    if run in seen or len(seen) >= _MAX_RUNS:
        return untraced(f"run {run.id} is among its own sources, or has too many of them")
    try:
        lineage = lineage_of_run(run, read, trust)
    except (NoLineage, BadLineage) as error:
        return untraced(str(error))
    stated = set(lineage.outputs)
    troubles = [
        f"the lineage of run {run.id} does not name {output}"
        for output in wanted
        if output not in stated
    ]
    made, landed = defaultdict[Run, list[HashedObject]](list), list[HashedObject]()
    for item in lineage.inputs:
        source = run_of(item.version.key)
        if source is not None and is_made(item.version.key):
            made[source].append(item)
        else:
            landed.append(item)
    seen.add(run)
    sources = tuple(
        _trace(source, outputs, read, trust, seen)
        for source, outputs in sorted(made.items(), key=lambda item: (item[0].dt, item[0].id))
    )
    return TracedRun(run, wanted, lineage, sources, tuple(landed), tuple(troubles))
