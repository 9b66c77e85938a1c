"""What is wrong with a line of orders, and under which reasons it must be rejected.

A reason is `<property>.<rule>` as in include/contracts/orders.odcs.yaml; `row.malformed` is a line
that is not one object of its properties.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

from feed.draws import Draws

Members = Mapping[str, Any]
Reasons = frozenset[str]


def json_line(members: Members, draws: Draws) -> str:
    """The row as one line of JSON, written in one of the ways in which systems write it."""
    names = list(members)
    if draws.chance(100):
        names.reverse()
    return json.dumps(
        {name: members[name] for name in names},
        ensure_ascii=draws.chance(500),
        separators=draws.one_of(((", ", ": "), (",", ":"))),
    )


# Each property's wrong values that a source has been seen to send, with the reasons.
_WRONG: tuple[tuple[str, tuple[Any, ...], tuple[str, ...]], ...] = (
    ("order_id", (None, "", "  "), ("order_id.required",)),
    ("order_id", ("O42", "o000000001", "O0000000001"), ("order_id.pattern",)),
    ("order_id", (42, True, ["O000000001"]), ("order_id.type",)),
    ("customer_id", (None, ""), ("customer_id.required",)),
    ("customer_id", ("C42", "unknown"), ("customer_id.pattern",)),
    ("customer_id", (7, {"id": "C000000042"}), ("customer_id.type",)),
    ("status", (None, ""), ("status.required",)),
    ("status", ("lost", "Paid", "PLACED"), ("status.allowed",)),
    ("ordered_at", (None,), ("ordered_at.required",)),
    ("ordered_at", ("2026-11-01 10:00:00", "yesterday", 1793466309), ("ordered_at.type",)),
    ("updated_at", ("2026-11-01T25:00:00Z", "2026-11-01T10:00:00"), ("updated_at.type",)),
    ("updated_at", ("2001-01-01T00:00:00Z",), ("updated_at.not_before_order",)),
    ("amount_usd", (None, ""), ("amount_usd.required",)),
    ("amount_usd", (-1, "-0.01"), ("amount_usd.minimum",)),
    ("amount_usd", (12.345, "1,234.50", "$12.00", {"usd": 1}, [1], True), ("amount_usd.type",)),
    ("amount_usd", (100000000, "NaN", "1e2", 1e300), ("amount_usd.type",)),
    ("is_gift", ("maybe", "yes", 1, "1"), ("is_gift.type",)),
    ("note", ("x" * 201,), ("note.length",)),
    ("note", ("=1+1", "@SUM(A1)", "+49 30 1234", "-1"), ("note.formula",)),
    ("note", (5, False, ["a note"]), ("note.type",)),
)


def _wrong_value(members: Members, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    name, values, reasons = draws.one_of(_WRONG)
    return json_line({**members, name: draws.one_of(values)}, draws), frozenset(reasons)


# The same of a member of one of the order's lines.
_WRONG_LINE: tuple[tuple[str, tuple[Any, ...], str], ...] = (
    ("product_id", (None, ""), "required"),
    ("product_id", ("42", "p00042"), "pattern"),
    ("product_id", (42, ["P00042"]), "type"),
    ("quantity", (None,), "required"),
    ("quantity", (0, -1, "-2"), "minimum"),
    ("quantity", (1001,), "maximum"),
    ("quantity", (1.5, "two", False), "type"),
    ("unit_price_usd", (None,), "required"),
    ("unit_price_usd", (-0.01,), "minimum"),
    ("unit_price_usd", (1.005, {}), "type"),
)
# And what stands there instead of lines.
_NO_LINES: tuple[tuple[Any, str], ...] = (
    (None, "lines.required"),
    ([], "lines.length"),
    ("P00042", "lines.type"),
    ({"product_id": "P00042"}, "lines.type"),
    ([[1]], "lines[1].type"),
    ([None], "lines[1].type"),
)


def _wrong_line(members: Members, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    lines = [dict(line) for line in members["lines"]]
    name, values, rule = draws.one_of(_WRONG_LINE)
    at = draws.below(len(lines))
    lines[at][name] = draws.one_of(values)
    reasons = frozenset({f"lines[{at + 1}].{name}.{rule}"})
    return json_line({**members, "lines": lines}, draws), reasons


def _no_lines(members: Members, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    value, reason = draws.one_of(_NO_LINES)
    return json_line({**members, "lines": value}, draws), frozenset({reason})


def _line_with_more(members: Members, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    lines = [*members["lines"], {**members["lines"][0], "discount": 1}]
    return json_line({**members, "lines": lines}, draws), frozenset({"row.malformed"})


def _left_out(members: Members, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    name = draws.one_of(("order_id", "customer_id", "status", "amount_usd", "lines"))
    rest = {each: value for each, value in members.items() if each != name}
    return json_line(rest, draws), frozenset({f"{name}.required"})


def _ordered_after_the_day(members: Members, day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    late = day + dt.timedelta(days=1 + draws.below(40))
    wrong = {**members, "ordered_at": f"{late.isoformat()}T00:00:00Z"}
    reasons = frozenset({"ordered_at.not_after_day", "updated_at.not_before_order"})
    return json_line(wrong, draws), reasons


def _unknown_member(members: Members, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    more = draws.one_of((("currency", "USD"), ("Status", "paid"), ("", None)))
    return json_line({**members, more[0]: more[1]}, draws), frozenset({"row.malformed"})


def _no_json(members: Members, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    line = json_line(members, draws)
    broken = draws.one_of(
        (
            "",
            line[:-1],
            line + line,
            f"[{line}]",
            line[:-1] + ",}",
            line[:-1] + ', "status": "paid"}',
            line[:-1] + ', "note": "\\u0000"}',
            line[:-1] + ', "note": "\\ud800"}',
            '{"amount_usd": NaN}',
            "null",
            "[" * 3000,
            "'" + line + "'",
        )
    )
    return broken, frozenset({"row.malformed"})


_Dirt = Callable[[Members, dt.date, Draws], tuple[str, Reasons]]
_DIRT: tuple[_Dirt, ...] = (
    *(_wrong_value,) * 12,
    _left_out,
    _ordered_after_the_day,
    _unknown_member,
    *(_no_json,) * 4,
    *(_wrong_line,) * 6,
    _no_lines,
    _line_with_more,
)


def soiled(members: Members, day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    """A line made of `members` that must be rejected, and every reason to reject it."""
    return draws.one_of(_DIRT)(members, day, draws)
