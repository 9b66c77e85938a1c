"""Fields of a contract's document, each of the kind that is expected, or refused by its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

MAX_NAME: Final = 64
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands: its path in the document, and how people are told of it."""

    path: tuple[str | int, ...] = ()
    shown: str = ""

    def __truediv__(self, step: str | int) -> Place:
        """The place one step further in."""
        if isinstance(step, int):
            shown = f"{self.shown}[{step}]"
        else:
            shown = f"{self.shown}.{step}" if self.shown else step
        return Place((*self.path, step), shown)

    def called(self, name: str) -> Place:
        """The same place under a name that people know."""
        return replace(self, shown=name)

    def __str__(self) -> str:
        return self.shown or "the contract"


class ContractError(ValueError):
    """The contract cannot be used; `problem` says why, and the remedy.

    `source` is the file with the line, once somebody knows it.
    """

    def __init__(self, place: Place, problem: str, source: str = "") -> None:
        super().__init__(place, problem, source)
        self.place = place
        self.problem = problem
        self.source = source

    def __str__(self) -> str:
        return f"{self.source}: {self.place}: {self.problem}".removeprefix(": ")


def mapping(value: object, place: Place) -> Mapping[str, Any]:
    """A mapping; refused if it is none."""
    if not isinstance(value, Mapping):
        raise ContractError(place, "expected a mapping")
    return value


def sequence(value: object, place: Place) -> Sequence[Any]:
    """A list; refused if it is none."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ContractError(place, "expected a list")
    return value


def items(value: object, place: Place) -> Iterator[tuple[Mapping[str, Any], Place]]:
    """The mappings of a list, each with its place."""
    for index, item in enumerate(sequence(value, place)):
        yield mapping(item, place / index), place / index


def text(value: object, place: Place) -> str:
    """A text that is not empty; refused if it is none."""
    if not isinstance(value, str) or not value.strip():
        raise ContractError(place, "expected a text")
    return value


def name(value: object, place: Place) -> str:
    """The name of a table or a column, which every engine reads the same way."""
    found = text(value, place)
    if not _NAME.fullmatch(found) or len(found) > MAX_NAME:
        raise ContractError(
            place,
            f"{found!r} is not a name: at most {MAX_NAME} of a-z, 0-9 and _, a letter first",
        )
    return found


def words(value: object, place: Place) -> tuple[str, ...]:
    """Texts, at least one."""
    found = sequence(value, place)
    # YAML reads NO (Norway) and yes as booleans; such a list would silently lose them.
    if not found or not all(isinstance(word, str) for word in found):
        raise ContractError(place, "expected texts; quote words such as 'NO' and 'yes'")
    return tuple(found)


def length(value: object, place: Place) -> int | None:
    """A number of characters, or None where it is not said."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ContractError(place, "expected a number of characters")
    return value


def decimal(value: object) -> Decimal:
    """A finite number; raises InvalidOperation, as Decimal does for what is no number at all."""
    number = Decimal(str(value))
    if not number.is_finite():
        raise InvalidOperation
    return number


def custom_properties(
    item: Mapping[str, Any], known: Collection[str], place: Place
) -> dict[str, tuple[Any, Place]]:
    """The values of `customProperties` with their places, by their names: those `known`, once."""
    found: dict[str, tuple[Any, Place]] = {}
    for pair, at in items(item.get("customProperties", ()), place / "customProperties"):
        called = text(pair.get("property"), at / "property")
        if called in found:
            raise ContractError(at, f"{called} appears twice")
        if called not in known:
            raise ContractError(at / "property", _unread(called))
        found[called] = (pair.get("value"), (at / "value").called(f"{place}.{called}"))
    return found


def only(item: Mapping[str, Any], known: Collection[str], place: Place) -> None:
    """Refuse what the document states and nobody reads or enforces."""
    for unknown in sorted(item.keys() - set(known)):
        raise ContractError(place / unknown, _unread(unknown))


def _unread(called: str) -> str:
    return f"{called} is not read, so nobody would enforce it: take it out"


def flag(item: Mapping[str, Any], field: str, place: Place) -> bool:
    """A yes or no; no where it is not said."""
    value = item.get(field, False)
    if not isinstance(value, bool):
        raise ContractError(place / field, "expected true or false, without quotes")
    return value
