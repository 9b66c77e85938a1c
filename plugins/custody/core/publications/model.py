"""A publication: an object that is written once, numbered within its dataset and day.

The one with the highest number counts. Its lines are rows of the Athena table `publications`, one
for each table that it shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json

PUBLICATION_PREFIX: Final = "publications/"

MAX_PUBLICATION_BYTES: Final = 1024 * 1024
"""A thousand tables, whose lines take less than 1 KiB each but for what people wrote."""

MAX_REASON: Final = 500
"""What somebody may say at most of why he has a day rolled back."""

_MAX_LOCATION: Final = 2048
_KEY: Final = re.compile(
    r"publications/([a-z0-9_]+)/dt=(\d{4}-\d{2}-\d{2})/(\d{6})\.json", re.ASCII
)
_LAST: Final = 999_999


class Why(StrEnum):
    """Why a day is shown as it is."""

    BUILD = "build"
    """A run of the DAG has built it."""
    ROLLBACK = "rollback"
    """Somebody asked for what an earlier run had built."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for it, as Airflow has it, which is a claim: the run, how often that was cleared,
    the person who started it (None: the schedule), and his reason in words."""

    airflow_run: str
    cleared: int
    asked_by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A table, the job run whose rows of the day it shows, and where these lie."""

    table_name: str
    run: str
    location: str


@dataclass(frozen=True, slots=True)
class PublicationRow:
    """A line of a publication; `published_at` is UTC, like `2026-11-01T06:00:00.000Z`."""

    dataset: str
    dt: str
    number: int
    published_at: str
    why: str
    airflow_run: str
    cleared: int
    asked_by: str | None
    reason: str | None
    table_name: str
    run: str
    location: str


@dataclass(frozen=True, slots=True)
class Publication:
    """What the readers of a day are shown since `published_at`."""

    dataset: str
    dt: str
    number: int
    published_at: str
    why: Why
    asked: Asked
    shown: tuple[Shown, ...]

    @property
    def key(self) -> str:
        """Its object key in the analytics bucket."""
        return f"{folder_of(self.dataset, self.dt)}{self.number:06}.json"

    def answers(self, why: Why, asked: Asked, shown: Sequence[Shown]) -> bool:
        """Whether it was made for this request, by a try that ended early."""
        return (self.why, self.asked, self.shown) == (why, asked, tuple(shown))

    def is_as_wanted(self, why: Why, shown: Sequence[Shown]) -> bool:
        """Whether the day is shown so already, and stays so for as long as is asked for: what was
        built gives way to what is built later, a rollback to what somebody asks for."""
        return self.shown == tuple(shown) and (why is Why.BUILD or self.why is Why.ROLLBACK)

    def rows(self) -> tuple[PublicationRow, ...]:
        """Its lines."""
        asked = self.asked
        return tuple(
            PublicationRow(
                dataset=self.dataset,
                dt=self.dt,
                number=self.number,
                published_at=self.published_at,
                why=self.why.value,
                airflow_run=asked.airflow_run,
                cleared=asked.cleared,
                asked_by=asked.asked_by,
                reason=asked.reason,
                table_name=table.table_name,
                run=table.run,
                location=table.location,
            )
            for table in self.shown
        )

    def to_bytes(self) -> bytes:
        """The object: a JSON line for each table."""
        return "".join(f"{json.dumps(asdict(row))}\n" for row in self.rows()).encode()


def rollback(dt: str, run: str, reason: str) -> dict[str, str]:
    """The parameters with which a run of the DAG shows again what the job run `run` built."""
    return {"dt": dt, "rollback_to": run, "reason": reason}


def folder_of(dataset: str, dt: str) -> str:
    """What the keys of a day's publications begin with."""
    return f"{PUBLICATION_PREFIX}{dataset}/dt={dt}/"


def place_of(key: str) -> tuple[str, str, int] | None:
    """Dataset, day and number of a publication by its key; None for the key of anything else."""
    found = _KEY.fullmatch(key)
    return None if found is None else (found[1], found[2], int(found[3]))


def following(
    number: int,
    *,
    dataset: str,
    dt: str,
    at: datetime,
    why: Why,
    asked: Asked,
    shown: Sequence[Shown],
) -> Publication:
    """The publication after the one of that number (0 for the first of a day).

    Raises `ValueError` if a day cannot have one more, if it would show nothing, or if nobody could
    read it (`MalformedInput`).
    """
    if number >= _LAST:
        raise ValueError(f"{dataset}, {dt}: there is no number after {number}")
    made = Publication(dataset, dt, number + 1, format_utc(at), why, asked, tuple(shown))
    return parse(made.to_bytes(), made.key)


def parse(body: bytes, key: str) -> Publication:
    """The publication in the object of that key; raises `MalformedInput`.

    Refuses one whose lines tell of different publications, or of another than its key.
    """
    if len(body) > MAX_PUBLICATION_BYTES:
        raise MalformedInput(key, f"is longer than the {MAX_PUBLICATION_BYTES} bytes accepted")
    lines = [
        _line(Fields.of(load_json(line, what=key, max_bytes=MAX_PUBLICATION_BYTES), key))
        for line in body.splitlines()
    ]
    if not lines:
        raise MalformedInput(key, "shows no table")
    if len({replace(line, shown=()) for line in lines}) > 1:
        raise MalformedInput(key, "its lines tell of different publications")
    publication = replace(lines[0], shown=tuple(table for line in lines for table in line.shown))
    if publication.key != key or place_of(key) is None:
        raise MalformedInput(key, f"tells of {publication.key[:200]}")
    return publication


def _line(fields: Fields) -> Publication:
    """A publication, as one of its lines has it: with the one table that this is about."""
    try:
        why = Why(fields.text("why"))
    except ValueError as error:
        raise MalformedInput(fields.where("why"), str(error)) from error
    return Publication(
        dataset=fields.text("dataset"),
        dt=fields.text("dt"),
        number=fields.count("number"),
        published_at=fields.text("published_at"),
        why=why,
        asked=Asked(
            airflow_run=fields.text("airflow_run"),
            cleared=fields.count("cleared"),
            asked_by=fields.optional_text("asked_by"),
            reason=fields.optional_text("reason"),
        ),
        shown=(
            Shown(
                fields.text("table_name"),
                fields.text("run"),
                fields.text("location", max_length=_MAX_LOCATION),
            ),
        ),
    )
