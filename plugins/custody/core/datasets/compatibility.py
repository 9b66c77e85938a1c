"""What changes with a contract, and whether its version says so.

A change breaks if a file that was right is none any more, if a row or a day is judged more strictly
or a row is taken as another, or if who reads a table misses what was there. A contract's version is
`MAJOR.MINOR.PATCH` (https://semver.org): what breaks needs a higher MAJOR, all else goes through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

from custody.core.datasets.arrays import Array
from custody.core.datasets.columns import Bound, Check, Column, ValidValues
from custody.core.datasets.contract_fields import Place
from custody.core.datasets.contracts import Contract, Gold
from custody.core.datasets.landed.formats import LandedFormat
from custody.core.datasets.quality.rules import Rule, Severity

_SILVER: Final = Place() / "schema" / 0
_COLUMNS: Final = _SILVER / "properties"


@dataclass(frozen=True, slots=True)
class Change:
    """What is otherwise in a contract: where it stands now, or would stand, and what it is."""

    place: Place
    told: str
    breaks: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.told}"


def changes(before: Contract, after: Contract) -> tuple[Change, ...]:
    """What is otherwise in a dataset's contract; those that break first."""
    found = [*_of_format(before.format, after.format), *_of_header(before, after)]
    found += [
        *_of_columns(before.columns, after.columns, _COLUMNS),
        *_of_arrays(before.arrays, after.arrays, len(after.columns)),
        *_of_rows(before, after),
    ]
    found += _of_gold(before.gold, after.gold)
    if not found and replace(before, version=after.version) != after:
        found.append(Change(Place(), "says otherwise what people are told, or who uploads"))
    return tuple(sorted(found, key=attrgetter("breaks"), reverse=True))


def refusals(before: Contract, after: Contract) -> tuple[Change, ...]:
    """What the version of the contract would have to say, and does not."""
    if _number(after) < _number(before):
        told = f"{before.version} is deployed already, and versions go up"
        return (Change(Place() / "version", told, breaks=True),)
    if _number(after)[0] > _number(before)[0]:
        return ()
    return tuple(change for change in changes(before, after) if change.breaks)


def _number(contract: Contract) -> tuple[int, ...]:
    return tuple(map(int, contract.version.split(".")))


def _of_format(was: LandedFormat, now: LandedFormat) -> Iterator[Change]:
    """How files are written, and whether they may be packed."""
    if was != now:
        looser = replace(was, gzip=True) == now
        yield Change(Place() / "servers", f"files were {was.in_words}", breaks=not looser)


def _of_header(before: Contract, after: Contract) -> Iterator[Change]:
    """A landed file's header is the names of all columns, in order; a line of JSON has no order,
    and may leave out what is not required.
    """
    has_header = after.format.has_header
    yield from _of_members(before.columns, after.columns, _COLUMNS, all_needed=has_header)
    common = [name for name in before.header if name in after.header]
    if has_header and common != [name for name in after.header if name in before.header]:
        yield Change(
            _COLUMNS, "the columns are in another order: files in this one are refused", True
        )


def _of_members(
    before: Sequence[Column | Array],
    after: Sequence[Column | Array],
    place: Place,
    *,
    all_needed: bool = False,
    begin: int = 0,
) -> Iterator[Change]:
    """What rows have that they had not, and the other way round; `all_needed`: a row without a
    column is refused, required or not. `begin` is where the first stands.
    """
    old, new = ({one.name for one in some} for some in (before, after))
    for one in before:
        if one.name not in new:
            yield Change(place, f"{one.name} was a column: what has it is refused", True)
    for index, one in enumerate(after, start=begin):
        if one.name not in old:
            breaks = all_needed or one.required
            told = f"{one.name} is new" + (": what is without it is refused" * breaks)
            yield Change(place / index, told, breaks)


def _of_columns(
    before: Sequence[Column], after: Sequence[Column], place: Place, of: str = ""
) -> Iterator[Change]:
    old = {column.name: column for column in before}
    for index, column in enumerate(after):
        if column.name in old:
            at = (place / index).called(of + column.name)
            yield from _of_column(old[column.name], column, at)


def _of_arrays(before: Sequence[Array], after: Sequence[Array], begin: int) -> Iterator[Change]:
    """Arrays, which are the properties from `begin` on, and the columns of their items."""
    yield from _of_members(before, after, _COLUMNS, begin=begin)
    old = {array.name: array for array in before}
    for index, now in enumerate(after, start=begin):
        if now.name not in old:
            continue
        was, at = old[now.name], (_COLUMNS / index).called(now.name)
        if was.required != now.required:
            yield Change(at / "required", f"was {was.required}".lower(), breaks=now.required)
        options = at / "logicalTypeOptions"
        if was.min_items != now.min_items:
            breaks = now.min_items > was.min_items
            yield Change(options / "minItems", f"was {was.min_items}", breaks)
        if was.max_items != now.max_items:
            breaks = now.max_items < was.max_items
            yield Change(options / "maxItems", f"was {was.max_items}", breaks)
        within = at / "items" / "properties"
        yield from _of_members(was.columns, now.columns, within)
        yield from _of_columns(was.columns, now.columns, within, f"{now.name}.")
        yield from _of_days(was.rules, now.rules, within)


def _of_column(old: Column, new: Column, at: Place) -> Iterator[Change]:
    if old.type != new.type:
        yield Change(at / "physicalType", f"was {old.type}", breaks=True)
        return
    if old.is_personal != new.is_personal:
        earlier = "tokens of it" if old.is_personal else "it as it landed"
        yield Change(at / "classification", f"silver had {earlier}", breaks=True)
    if old.required != new.required:
        yield Change(at / "required", f"was {old.required}".lower(), breaks=new.required)
    options = at / "logicalTypeOptions"
    if old.pattern != new.pattern:
        yield Change(options / "pattern", f"was {old.pattern}", breaks=new.pattern is not None)
    if old.format != new.format:
        yield Change(options / "format", f"was {old.format}", breaks=True)
    for field, was, now, is_most in (
        ("minLength", old.min_length, new.min_length, False),
        ("maxLength", old.max_length, new.max_length, True),
        ("minimum", old.minimum, new.minimum, False),
        ("maximum", old.maximum, new.maximum, True),
    ):
        if was != now:
            yield Change(options / field, f"was {was}", breaks=_is_tighter(was, now, is_most))
    for field, had, has in (
        ("trueValues", old.true_values, new.true_values),
        ("falseValues", old.false_values, new.false_values),
    ):
        if set(had) != set(has):
            told = f"was {', '.join(had)}"
            yield Change(at / "customProperties" / field, told, breaks=not set(had) <= set(has))
    yield from _of_checks(old.checks, new.checks, at / "quality")


def _is_tighter(was: Bound | None, now: Bound | None, is_most: bool) -> bool:
    if was is None or now is None:
        return was is None
    return now < was if is_most else now > was  # type: ignore[operator]


def _of_checks(old: Sequence[Check], new: Sequence[Check], at: Place) -> Iterator[Change]:
    had, has = ({check.name: check for check in checks} for checks in (old, new))
    for name in had.keys() - has.keys():
        yield Change(at, f"{name} was a rule")
    for name, check in has.items():
        was = had.get(name)
        if was is None:
            yield Change(at, f"{name} is a new rule", breaks=True)
        elif was != check:
            looser = (
                isinstance(was, ValidValues)
                and isinstance(check, ValidValues)
                and set(was.values) <= set(check.values)
            )
            yield Change(at, f"{name} is another rule", breaks=not looser)


def _of_rows(before: Contract, after: Contract) -> Iterator[Change]:
    if before.primary_key != after.primary_key:
        yield Change(_COLUMNS, f"the key was {', '.join(before.primary_key)}", breaks=True)
    place = _SILVER / "customProperties"
    if before.deduplication_order != after.deduplication_order:
        told = "deduplicationOrder is another: another of the rows with one key may stay"
        yield Change(place, told, breaks=True)
    was, now = before.max_rejected_share, after.max_rejected_share
    if was != now:
        yield Change(place, f"maxRejectedShare was {was}", breaks=now < was)
    yield from _of_days(before.rules, after.rules, _SILVER / "quality")


def _of_days(before: Sequence[Rule], after: Sequence[Rule], at: Place) -> Iterator[Change]:
    """Stricter is what refuses a day that was right: an error, and no warning, does that."""
    had, has = ({rule.name: rule for rule in rules} for rules in (before, after))
    for name in had.keys() - has.keys():
        yield Change(at, f"{name} was a rule of the day")
    for name, rule in has.items():
        was = had.get(name)
        is_error = rule.severity is Severity.ERROR
        if was is None:
            yield Change(at, f"{name} is a new rule of the day", breaks=is_error)
        elif _enforced(was) != _enforced(rule):
            looser = (
                was.severity is Severity.ERROR
                and (was.measure, was.unit) == (rule.measure, rule.unit)
                and rule.limit.allows(was.limit)
            )
            yield Change(at, f"{name} is another rule of the day", breaks=is_error and not looser)


def _enforced(rule: Rule) -> Rule:
    """The rule without what it says to people."""
    return replace(rule, description="", dimension=None)


def _of_gold(before: Sequence[Gold], after: Sequence[Gold]) -> Iterator[Change]:
    places = {table.name: Place() / "schema" / index for index, table in enumerate(after, start=1)}
    now = {table.name: table for table in after}
    for table in before:
        if table.name not in now:
            yield Change(Place() / "schema", f"{table.name} was a gold table", breaks=True)
            continue
        at = (places[table.name] / "properties").called(table.name)
        types = {column.name: column.type for column in now[table.name].columns}
        for column in table.columns:
            if column.name not in types:
                yield Change(at, f"{column.name} was a column of it", breaks=True)
            elif types[column.name] != column.type:
                yield Change(at, f"its {column.name} was {column.type}", breaks=True)
        for name in types.keys() - {column.name for column in table.columns}:
            yield Change(at, f"its {name} is new")
        of_days = (places[table.name] / "quality").called(table.name)
        yield from _of_days(table.rules, now[table.name].rules, of_days)
    for name in now.keys() - {table.name for table in before}:
        yield Change(places[name], f"{name} is a new gold table")
