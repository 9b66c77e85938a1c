"""What one day's files hold: which order stands in which file, and what becomes of each line.

Every order's lines are planned together and apart from all others', so that the fate of each line
is known without remembering the lines before it.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

from feed.draws import Draws
from order_feed import dirt

PARTNERS = "partner-feed.jsonl"
LATE = "web-shop-late.jsonl"

_STATES = ("placed", "paid", "shipped", "cancelled")
_PRODUCTS = 60
_NOTES = ("Please ring twice", "für Oma", "no bag", "Für 太郎", 'say "hello"', "vorne links, bitte")

# In a thousand orders: those that come again with a later status, those that come twice in one
# file, and those that were ordered the day before.
_AGAIN = 150
_TWICE = 30
_OF_THE_DAY_BEFORE = 60
_OF_PARTNERS = 200
_LATE = 40
# In a thousand lines.
_DIRTY = 45


class Line(NamedTuple):
    """One line of one file and what must become of it."""

    file: str
    text: str
    reasons: dirt.Reasons
    kept: bool
    status: str
    products: tuple[str, ...]


class _Sighting(NamedTuple):
    file: str
    updated_at: str  # ISO 8601, so that text order is time order
    text: str
    reasons: dirt.Reasons
    status: str
    products: tuple[str, ...]


def names_of(hours: int) -> tuple[str, ...]:
    """The files of a day, where the web shop sends one every so many hours."""
    shop = (f"web-shop-{hour:02d}.jsonl" for hour in range(0, 24, hours))
    return (*shop, LATE, PARTNERS)


def lines_of_day(
    *, seed: int, day: dt.date, first_day: dt.date, rows: int, hours: int
) -> Iterator[Line]:
    """Exactly `rows` lines, order by order."""
    number = (day - first_day).days * rows
    while rows > 0:
        sightings = list(_sightings(seed, number, day, rows, hours))[:rows]
        yield from _fates(sightings)
        rows -= len(sightings)
        number += 1


def _sightings(seed: int, number: int, day: dt.date, rows: int, hours: int) -> Iterator[_Sighting]:
    draws = Draws(seed, "order", number)
    second = draws.below(86_400)
    before = draws.chance(_OF_THE_DAY_BEFORE)
    ordered = _moment(day - dt.timedelta(days=before), second)
    seen = [(0 if before else second, draws.below(2))]
    if draws.chance(_AGAIN):
        seen.append((seen[0][0] + draws.below(86_400 - seen[0][0]), 2 + draws.below(2)))
    elif draws.chance(_TWICE):
        seen.append(seen[0])
    partner = draws.chance(_OF_PARTNERS)
    order = _order(number, rows, ordered, draws)
    for at, state in seen:
        late = draws.chance(_LATE)
        hour = at // 3600 // hours * hours
        file = PARTNERS if partner else LATE if late else f"web-shop-{hour:02d}.jsonl"
        updated = _moment(day, at)
        members = {**order, "status": _STATES[state], "updated_at": updated}
        if draws.chance(_DIRTY):
            text, reasons = dirt.soiled(members, day, draws)
        else:
            text, reasons = dirt.json_line(members, draws), frozenset()
        products = tuple(line["product_id"] for line in order["lines"])
        yield _Sighting(file, updated, text, reasons, _STATES[state], products)


def _order(number: int, rows: int, ordered: str, draws: Draws) -> dict[str, Any]:
    """What is said of an order whenever it comes; the customers are those of the same world."""
    lines, cents = [], 0
    for _ in range(1 + draws.below(4)):
        product, quantity = draws.below(_PRODUCTS), 1 + draws.below(3)
        price = 99 + product * 37
        cents += quantity * price
        lines.append(
            {
                "product_id": f"P{product:05d}",
                "quantity": quantity if draws.chance(900) else str(quantity),
                "unit_price_usd": price / 100,
            }
        )
    worth = f"{cents // 100}.{cents % 100:02d}"
    order: dict[str, Any] = {
        "order_id": f"O{number:09d}",
        "customer_id": f"C{draws.below(max(1, rows // 2)):09d}",
        "ordered_at": ordered,
        "amount_usd": worth if draws.chance(300) else float(worth),
        "lines": lines,
    }
    if draws.chance(600):
        order["is_gift"] = draws.one_of((True, False, False, None, "true", "FALSE"))
    if draws.chance(200):
        order["note"] = draws.one_of(_NOTES)
    return order


def _moment(day: dt.date, second: int) -> str:
    return f"{day.isoformat()}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def _fates(sightings: list[_Sighting]) -> Iterator[Line]:
    """Keep what was said last, else the first file by name, else its first line."""
    clean = [each for each in sightings if not each.reasons]
    latest = max((each.updated_at for each in clean), default="")
    kept = min(
        (each for each in clean if each.updated_at == latest),
        key=lambda each: each.file,
        default=None,
    )
    for each in sightings:
        yield Line(each.file, each.text, each.reasons, each is kept, each.status, each.products)
