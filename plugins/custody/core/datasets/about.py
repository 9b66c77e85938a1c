"""What a contract says of its dataset to people, and of when and by whom its files land."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from custody.core.datasets.contract_fields import (
    ContractError,
    Place,
    items,
    mapping,
    only,
    text,
    words,
)
from custody.core.datasets.uploads import UPLOADER

_PARTS: Final = ("purpose", "usage", "limitations")
_OF_TERM: Final = frozenset({"property", "value", "unit", "element", "description", "driver"})
_OF_ROLE: Final = frozenset({"role", "access", "description"})
MAX_LANDING_HOURS: Final = 7 * 24


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who may put files of the dataset into bronze, by the name of its IAM user or role."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class About:
    """For whom and to what end the dataset is.

    `landing_hours`: how long after its day began (UTC) a day's files have all landed.
    """

    purpose: str
    usage: str
    limitations: str
    owner: str
    tags: tuple[str, ...]
    landing_hours: int
    uploaders: tuple[Uploader, ...]


def read_about(root: Mapping[str, Any], here: Place) -> About:
    """What the document says beside its tables; raises ContractError."""
    description = mapping(root.get("description"), here / "description")
    only(description, _PARTS, here / "description")
    parts = {
        part: " ".join(text(description.get(part), here / "description" / part).split())
        for part in _PARTS
    }
    team = mapping(root.get("team"), here / "team")
    return About(
        **parts,
        owner=text(team.get("name"), here / "team" / "name"),
        tags=words(root["tags"], here / "tags") if "tags" in root else (),
        landing_hours=_landing_hours(root.get("slaProperties"), here / "slaProperties"),
        uploaders=_uploaders(root.get("roles"), here / "roles"),
    )


def _landing_hours(value: object, place: Place) -> int:
    """The freshness; a day is built every day, and what else is agreed is for people."""
    hours: object = None
    at = place
    for term, within in items(value, place):
        only(term, _OF_TERM, within)
        match term.get("property"):
            case "frequency" if (term.get("value"), term.get("unit")) != (1, "d"):
                raise ContractError(within, "days are built day by day: frequency is 1 d")
            case "freshness":
                hours, at = term.get("value"), within / "value"
                if term.get("unit") != "h":
                    raise ContractError(within / "unit", "freshness is in h")
            case "frequency" | "retention":
                pass
            case other:
                raise ContractError(
                    within / "property", f"{other} is not read, so nobody would keep it"
                )
    if not isinstance(hours, int) or not 24 < hours <= MAX_LANDING_HOURS:
        raise ContractError(
            at,
            f"freshness is a number of hours above 24, when the day is over, up to "
            f"{MAX_LANDING_HOURS}",
        )
    return hours


def _uploaders(value: object, place: Place) -> tuple[Uploader, ...]:
    found: dict[str, Uploader] = {}
    for role, at in items(value, place):
        only(role, _OF_ROLE, at)
        called = text(role.get("role"), at / "role")
        if not UPLOADER.fullmatch(called):
            raise ContractError(
                at / "role",
                f"{called!r} is no IAM user or role: at most 64 of A-Z, a-z, 0-9 and + . @ _ -",
            )
        if role.get("access") != "write":
            raise ContractError(at / "access", "a role is one that may upload: access is write")
        if called in found:
            raise ContractError(at / "role", f"{called} appears twice")
        found[called] = Uploader(called, text(role.get("description"), at / "description"))
    if not found:
        raise ContractError(place, "nobody may upload: expected a role")
    return tuple(found.values())
