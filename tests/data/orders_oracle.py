"""A second, plain reading of the orders contract, to check the generator and the jobs against.

It shares no code with either: rules are written out by hand from the contract's text, one line at a
time. Slow and simple on purpose.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.data.fates import Day, Read, fates

MEMBERS = frozenset(
    {"order_id", "customer_id", "status", "ordered_at", "updated_at"}
    | {"amount_usd", "is_gift", "note", "lines"}
)
MEMBERS_OF_LINE = frozenset({"product_id", "quantity", "unit_price_usd"})
STATES = frozenset({"placed", "paid", "shipped", "cancelled"})


class NoRow(Exception):
    """The line is not one object as the contract has it."""


class Written(str):
    """A number as it is written."""

    __slots__ = ()


def read_day(directory: Path) -> Day:
    """What must become of the files in `directory`, which is named `dt=YYYY-MM-DD`."""
    day = date.fromisoformat(directory.name.removeprefix("dt="))
    files = {path.name: read_file(path, day) for path in sorted(directory.glob("*.jsonl"))}
    return fates(files, lambda row: row.values["order_id"], lambda row: row.values["updated_at"])


def silver_of(row: Read) -> dict[str, Any]:
    """The values of a good row that are no table of their own."""
    return {name: value for name, value in row.values.items() if name != "lines"}


def read_file(path: Path, day: date) -> Iterator[Read]:
    """Every line of the file."""
    lines = path.read_bytes().decode().split("\n")
    assert lines.pop() == "", f"{path} does not end with a line end"
    for number, text in enumerate(lines, start=1):
        try:
            members = members_of(text)
        except NoRow:
            yield Read(path.name, number, {}, frozenset({"row.malformed"}))
            continue
        order = Judged(members)
        order.judge(day)
        yield Read(path.name, number, order.values, frozenset(order.reasons))


def members_of(text: str) -> dict[str, Any]:
    """The members of a line."""
    try:
        found = json.loads(
            text,
            object_pairs_hook=once,
            parse_int=Written,
            parse_float=Written,
            parse_constant=no_number,
        )
    except (ValueError, RecursionError):
        raise NoRow from None
    if not isinstance(found, dict) or found.keys() - MEMBERS:
        raise NoRow
    lines = found.get("lines")
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, dict) and line.keys() - MEMBERS_OF_LINE:
            raise NoRow
    return found


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which every name stands once, and every text can be written as UTF-8."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise NoRow
    for _, value in pairs:
        if isinstance(value, str) and ("\0" in value or re.search("[\ud800-\udfff]", value)):
            raise NoRow
    return dict(pairs)


def no_number(constant: str) -> None:
    """JSON has no NaN."""
    raise NoRow(constant)


class Judged:
    """An object, its values and every rule that it breaks."""

    def __init__(self, members: dict[str, Any], place: str = "") -> None:
        self._members = members
        self._place = place
        self.values: dict[str, Any] = {}
        self.reasons: set[str] = set()

    def wrong(self, name: str, rule: str) -> None:
        """A member breaks a rule."""
        self.reasons.add(f"{self._place}{name}.{rule}")

    def judge(self, day: date) -> None:
        """The rules of an order."""
        for name, letter in (("order_id", "O"), ("customer_id", "C")):
            text = self.text(name)
            if text and not re.fullmatch(letter + "[0-9]{9}", text):
                self.wrong(name, "pattern")
        status = self.text("status")
        if status and status not in STATES:
            self.wrong("status", "allowed")
        ordered, updated = self.moment("ordered_at"), self.moment("updated_at")
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        for name, at in (("ordered_at", ordered), ("updated_at", updated)):
            if at and at >= midnight:
                self.wrong(name, "not_after_day")
        if ordered and updated and updated.date() < ordered.date():
            self.wrong("updated_at", "not_before_order")
        self.dollars("amount_usd")
        self.gift()
        note = self.text("note", required=False)
        if note and len(note) > 200:
            self.wrong("note", "length")
        if note and note[0] in "=+-@":
            self.wrong("note", "formula")
        self.lines()

    def judge_line(self) -> None:
        """The rules of an order's line."""
        product = self.text("product_id")
        if product and not re.fullmatch("P[0-9]{5}", product):
            self.wrong("product_id", "pattern")
        quantity = self.number("quantity", r"-?[0-9]{1,9}")
        if quantity is not None and quantity < 1:
            self.wrong("quantity", "minimum")
        if quantity is not None and quantity > 1000:
            self.wrong("quantity", "maximum")
        self.values["quantity"] = None if quantity is None else int(quantity)
        self.dollars("unit_price_usd")

    def text(self, name: str, *, required: bool = True) -> str | None:
        """A text, trimmed."""
        value = self._members.get(name)
        if isinstance(value, Written) or not isinstance(value, str | None):
            self.wrong(name, "type")
            return None
        found = (value or "").strip() or None
        if required and found is None:
            self.wrong(name, "required")
        self.values[name] = found
        return found

    def moment(self, name: str) -> datetime | None:
        """A time, to the second, in UTC."""
        text, at = self.text(name), None
        try:
            if text:
                at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            self.wrong(name, "type")
        self.values[name] = at
        return at

    def number(self, name: str, shape: str) -> Decimal | None:
        """A number, which may stand in quotes."""
        value = self._members.get(name)
        if isinstance(value, bool) or not isinstance(value, str | None):
            self.wrong(name, "type")
            return None
        text = (value or "").strip()
        if re.fullmatch(shape, text):
            return Decimal(text)
        self.wrong(name, "type" if text else "required")
        return None

    def dollars(self, name: str) -> None:
        """An amount below a hundred millions, and not below nothing."""
        amount = self.values[name] = self.number(name, r"-?[0-9]{1,8}(\.[0-9]{1,2})?")
        if amount is not None and amount < 0:
            self.wrong(name, "minimum")

    def gift(self) -> None:
        """Whether it is one, which nobody needs to say."""
        value = self._members.get("is_gift")
        words = {"true": True, "false": False, "": None}
        said = str(value if value is not None else "").strip().lower()
        if said not in words or isinstance(value, list | dict):
            self.wrong("is_gift", "type")
        self.values["is_gift"] = words.get(said)

    def lines(self) -> None:
        """What was ordered, a line each."""
        found = self._members.get("lines")
        if not isinstance(found, list):
            self.wrong("lines", "required" if found is None else "type")
            return
        if not 1 <= len(found) <= 200:
            self.wrong("lines", "length")
        self.values["lines"] = []
        for number, line in enumerate(found, start=1):
            if not isinstance(line, dict):
                self.wrong(f"lines[{number}]", "type")
                continue
            judged = Judged(line, f"lines[{number}].")
            judged.judge_line()
            self.reasons |= judged.reasons
            self.values["lines"].append(judged.values)


def gold_of(kept: Iterable[Read]) -> dict[str, set[tuple[Any, ...]]]:
    """The rows of the tables of gold."""
    states: dict[str, list[Read]] = defaultdict(list)
    lines: dict[str, list[tuple[str, int, Decimal]]] = defaultdict(list)
    for row in kept:
        states[row.values["status"]].append(row)
        for line in row.values["lines"] if row.values["status"] != "cancelled" else ():
            worth = line["quantity"] * line["unit_price_usd"]
            lines[line["product_id"]].append((row.values["order_id"], line["quantity"], worth))
    return {
        "orders_by_status": {
            (
                status,
                len(rows),
                len({row.values["customer_id"] for row in rows}),
                sum(row.values["amount_usd"] for row in rows),
            )
            for status, rows in states.items()
        },
        "orders_by_product": {
            (
                product,
                len({order for order, _, _ in of}),
                sum(quantity for _, quantity, _ in of),
                sum(worth for _, _, worth in of),
            )
            for product, of in lines.items()
        },
    }
