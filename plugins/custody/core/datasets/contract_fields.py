"""Fields of a contract's document, each of the kind that is expected, or refused by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any


class ContractError(ValueError):
    """The contract cannot be used; the message names the field at fault and the remedy."""


def mapping(value: object, place: str) -> Mapping[str, Any]:
    """A mapping; refused if it is none."""
    if not isinstance(value, Mapping):
        raise ContractError(f"{place}: expected a mapping")
    return value


def sequence(value: object, place: str) -> Sequence[Any]:
    """A list; refused if it is none."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ContractError(f"{place}: expected a list")
    return value


def text(value: object, place: str) -> str:
    """A text that is not empty; refused if it is none."""
    if not isinstance(value, str) or not value:
        raise ContractError(f"{place}: expected a text")
    return value


def words(value: object, place: str) -> tuple[str, ...]:
    """Texts, at least one."""
    found = sequence(value, place)
    # YAML reads NO (Norway) and yes as booleans; such a list would silently lose them.
    if not found or not all(isinstance(word, str) for word in found):
        raise ContractError(f"{place}: expected texts; quote words such as 'NO' and 'yes'")
    return tuple(found)


def length(value: object, place: str) -> int | None:
    """A number of characters, or None where it is not said."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ContractError(f"{place}: expected a number of characters")
    return value


def decimal(value: object) -> Decimal:
    """A finite number; raises InvalidOperation, as Decimal does for what is no number at all."""
    number = Decimal(str(value))
    if not number.is_finite():
        raise InvalidOperation
    return number


def custom_properties(item: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The values of `customProperties`, by their names; a name may stand there once."""
    found: dict[str, Any] = {}
    for index, entry in enumerate(sequence(item.get("customProperties", ()), place)):
        at = f"{place}.customProperties[{index}]"
        pair = mapping(entry, at)
        name = text(pair.get("property"), f"{at}.property")
        if name in found:
            raise ContractError(f"{at}: {name} appears twice")
        found[name] = pair.get("value")
    return found


def only(item: Mapping[str, Any], known: Collection[str], place: str) -> None:
    """Refuse what the document states and nobody reads or enforces."""
    if unknown := sorted(str(name) for name in item if name not in known):
        raise ContractError(
            f"{place}: {', '.join(unknown)} is not read, so nobody would enforce it: take it out"
        )


def flag(item: Mapping[str, Any], name: str, place: str) -> bool:
    """A yes or no; no where it is not said."""
    value = item.get(name, False)
    if not isinstance(value, bool):
        raise ContractError(f"{place}.{name}: expected true or false, without quotes")
    return value
