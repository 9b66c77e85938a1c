"""What a measured number must be, in the operators of the Open Data Contract Standard (v3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from custody.core.datasets.contract_fields import ContractError, Place, decimal, sequence

_IN_WORDS: Final = {
    "mustBe": "{}",
    "mustNotBe": "not {}",
    "mustBeGreaterThan": "more than {}",
    "mustBeGreaterOrEqualTo": "at least {}",
    "mustBeLessThan": "less than {}",
    "mustBeLessOrEqualTo": "at most {}",
    "mustBeBetween": "from {} to {}",
    "mustNotBeBetween": "not from {} to {}",
}
OPERATORS: Final = frozenset(_IN_WORDS)
_END: Final = Decimal("Infinity")

_Span = tuple[Decimal, bool, Decimal, bool]
"""From a number to a number, and of each whether it is in it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """An operator and its one or two numbers. Both numbers of a range are in it."""

    operator: str
    numbers: tuple[Decimal, ...]

    def holds(self, found: Decimal) -> bool:
        """Whether a number is within the limit."""
        return any(_covers(span, (found, True, found, True)) for span in self._spans())

    def allows(self, other: Limit) -> bool:
        """Whether whatever is within the `other` limit is within this one."""
        return all(any(_covers(span, part) for span in self._spans()) for part in other._spans())

    def _spans(self) -> tuple[_Span, ...]:
        least, most = self.numbers[0], self.numbers[-1]
        below, above = (-_END, False, least, False), (most, False, _END, False)
        match self.operator:
            case "mustBeGreaterThan":
                return (above,)
            case "mustBeGreaterOrEqualTo":
                return ((least, True, _END, False),)
            case "mustBeLessThan":
                return (below,)
            case "mustBeLessOrEqualTo":
                return ((-_END, False, most, True),)
            case "mustNotBe" | "mustNotBeBetween":
                return (below, above)
            case _:
                return ((least, True, most, True),)

    def __str__(self) -> str:
        return _IN_WORDS[self.operator].format(*(f"{number:f}" for number in self.numbers))


def _covers(span: _Span, part: _Span) -> bool:
    least, has_least, most, has_most = span
    begins, has_begin, ends, has_end = part
    from_there = least < begins or (least == begins and (has_least or not has_begin))
    to_there = ends < most or (ends == most and (has_most or not has_end))
    return from_there and to_there


def read_limit(rule: Mapping[str, Any], place: Place, *, may_be_boolean: bool = False) -> Limit:
    """The one limit that a rule states; refused where it is none, or no number can keep it.

    Of what `may_be_boolean`, true is 1 and false 0.
    """
    stated = sorted(rule.keys() & OPERATORS)
    if len(stated) != 1:
        raise ContractError(place, f"expected one of {', '.join(_IN_WORDS)}")
    (operator,) = stated
    at, value = place / operator, rule[operator]
    is_range = operator.endswith("Between")
    given = sequence(value, at) if is_range else [value]
    if len(given) != 1 + is_range:
        raise ContractError(at, "expected two numbers, the smaller first")
    if may_be_boolean and operator in {"mustBe", "mustNotBe"} and isinstance(value, bool):
        given = [int(value)]
    numbers = tuple(_number(each, at) for each in given)
    if numbers[0] > numbers[-1]:
        raise ContractError(at, "expected two numbers, the smaller first")
    return Limit(operator, numbers)


def _number(value: object, place: Place) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ContractError(place, "expected a number, without quotes")
    try:
        return decimal(value)
    except InvalidOperation as error:
        raise ContractError(place, "expected a number, without quotes") from error
