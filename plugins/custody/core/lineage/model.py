"""Lineage: what one run of a Glue job made, and out of what."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from custody.objects import ObjectVersion

LINEAGE_PREFIX: Final = "provenance/lineage/"

CONTRACT: Final = "contract"
"""What a dataset's contract is called among the materials of a run."""

_RUN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_RUN_PREFIX: Final = re.compile(r"[^/]+/[^/]+/dt=([^/]+)/run=([^/]+)/.*", re.DOTALL)


def is_statement_key(key: str) -> bool:
    """Whether an object of the provenance bucket has the key of a lineage statement."""
    return key.startswith(LINEAGE_PREFIX) and not key.endswith("/")


@dataclass(frozen=True, order=True, slots=True)
class HashedObject:
    """One exact object version and the SHA-256 of its bytes, as 64 hex digits."""

    version: ObjectVersion
    sha256: str

    def __str__(self) -> str:
        version = self.version
        return f"{version.uri} (version {version.version_id}, sha256 {self.sha256})"


@dataclass(frozen=True)
class Material:
    """Code or configuration of a run: what it is called there, and its SHA-256.

    `uri` is where it was read and `version_id` which object version of that; `version` is
    what it calls its own version. Each is None where there is none.
    """

    name: str
    sha256: str
    uri: str | None = None
    version_id: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Run:
    """A job run: the day it built (`YYYY-MM-DD`) and its id. Raises `ValueError` for others."""

    dt: str
    id: str

    def __post_init__(self) -> None:
        if not is_day(self.dt):
            raise ValueError(f"a run's day is written like 2026-11-01, not {self.dt[:40]!r}")
        if not _RUN_ID.fullmatch(self.id):
            raise ValueError(f"{self.id[:80]!r} is no job run id")


@dataclass(frozen=True)
class Lineage:
    """What a run made out of what.

    `builder_id` is the ARN of the Glue job, `platform` the versions of what it ran on,
    `parameters` the job's arguments, of which `dt` is the run's day. `materials` are its code
    and configuration, `inputs` the object versions whose bytes it read, `outputs` those it
    wrote, all of them under its own prefix. Times are aware.
    """

    run: Run
    builder_id: str
    platform: Mapping[str, str]
    started_on: datetime
    finished_on: datetime
    parameters: Mapping[str, str]
    materials: tuple[Material, ...]
    inputs: tuple[HashedObject, ...]
    outputs: tuple[HashedObject, ...]


@dataclass(frozen=True, slots=True)
class ReadBy:
    """That a run of a dataset states to have read something, and when its statement was stored."""

    dataset: str
    run: Run
    stated_at: datetime


@dataclass(frozen=True)
class Part:
    """One statement of a run: the `number`-th of `count`, with the objects it names."""

    number: int
    count: int
    lineage: Lineage

    @property
    def key(self) -> str:
        """The object key of this statement in the provenance bucket."""
        return statement_key(self.lineage.run, self.number)

    def claims_the_same(self, other: Part) -> bool:
        """Whether both say the same about the same objects, be it at another time."""
        lineage = replace(
            other.lineage,
            started_on=self.lineage.started_on,
            finished_on=self.lineage.finished_on,
        )
        return self == replace(other, lineage=lineage)


def is_day(text: str) -> bool:
    """Whether this is a day, written like `2026-11-01`."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def run_of(key: str) -> Run | None:
    """The run that an object key (or a run's prefix) names: `…/…/dt=<day>/run=<id>/…`."""
    match = _RUN_PREFIX.fullmatch(key)
    if match is None:
        return None
    try:
        return Run(*match.groups())
    except ValueError:
        return None


def statement_key(run: Run, part: int = 1) -> str:
    """The object key, in the provenance bucket, of a statement of `run`; parts count from 1.

    Its name is the SHA-256 of the JSON list `[run id, part]` (no spaces), as hexadecimal.
    """
    identity = json.dumps([run.id, part], separators=(",", ":"))
    return f"{LINEAGE_PREFIX}dt={run.dt}/{hashlib.sha256(identity.encode()).hexdigest()}.json"
