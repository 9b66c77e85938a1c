"""What one day's files hold: which customer stands in which file, and what becomes of each row.

Every customer's rows are planned together and apart from all others', so that the fate of each row
(kept, duplicate or rejected) is known without remembering the rows before it.
"""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from customer_feed import dirt
from customer_feed.people import Customer, customer
from feed.draws import Draws

_SECONDS_A_DAY = 86_400

# In a thousand customers: those whose row comes twice in one file, and those in a second file too.
_TWICE_IN_A_FILE = 35
_IN_TWO_FILES = 80
# In a thousand rows.
_DIRTY = 45
_UNTIDY = 60
_NEVER_LOGGED_IN = 40


class Row(NamedTuple):
    """One line of one file and what must become of it."""

    file: str
    line: str
    reasons: dirt.Reasons  # why it is rejected; empty for a row that is kept or a duplicate
    kept: bool  # the one row that stays of all that share its key
    group: tuple[str, str]  # its country and signup month in gold, where it is kept
    repeat: bool  # a later line of the same file says the same customer again


class _Sighting(NamedTuple):
    file: str
    last_login: str  # "" for none; ISO 8601, so that text order is time order
    line: str
    reasons: dirt.Reasons
    repeat: bool


def rows_of_day(
    *, seed: int, day: dt.date, first_day: dt.date, rows: int, files: tuple[str, ...]
) -> Iterator[Row]:
    """Exactly `rows` rows, customer by customer; a repeat directly follows what it repeats."""
    # Each day some customers are gone and as many are new.
    number = (day - first_day).days * (rows // 40)
    while rows > 0:
        known = customer(seed, number, before=first_day)
        sightings = list(_sightings(known, seed, number, day, files))[:rows]
        yield from _fates(known, sightings)
        rows -= len(sightings)
        number += 1


def _sightings(
    known: Customer, seed: int, number: int, day: dt.date, files: tuple[str, ...]
) -> Iterator[_Sighting]:
    draws = Draws(seed, "day", day, number)
    home = draws.below(len(files))
    places = [(files[home], False)]
    if draws.chance(_TWICE_IN_A_FILE):
        places.append((files[home], True))
    if len(files) > 1 and draws.chance(_IN_TWO_FILES):
        places.append((files[(home + 1 + draws.below(len(files) - 1)) % len(files)], False))
    orders = known.orders + draws.below(3)
    same_login = _login(known, day, draws)
    for file, repeat in places:
        login = same_login if draws.chance(500) else _login(known, day, draws)
        fields = _fields(known, orders, login, draws)
        if draws.chance(_DIRTY):
            line, reasons = dirt.soiled(fields, day, draws)
        else:
            tidy = not draws.chance(_UNTIDY)
            line = dirt.csv_line(fields if tidy else dirt.untidy(fields, draws))
            reasons = frozenset()
        yield _Sighting(file, login, line, reasons, repeat)


def _login(known: Customer, day: dt.date, draws: Draws) -> str:
    if draws.chance(_NEVER_LOGGED_IN):
        return ""
    days = (day - known.signup_date).days
    on = known.signup_date + dt.timedelta(days=draws.below(days + 1))
    second = draws.below(_SECONDS_A_DAY)
    return f"{on.isoformat()}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def _fields(known: Customer, orders: int, login: str, draws: Draws) -> dirt.Fields:
    cents = orders * known.cents_an_order
    return {
        "customer_id": known.customer_id,
        "first_name": known.first_name,
        "last_name": known.last_name,
        "email": known.email,
        "country": known.country,
        "signup_date": known.signup_date.isoformat(),
        "last_login": login,
        "total_orders": str(orders),
        "total_spent_usd": f"{cents // 100}.{cents % 100:02d}",
        "is_premium": dirt.boolean(known.premium, draws),
    }


def _fates(known: Customer, sightings: list[_Sighting]) -> Iterator[Row]:
    """Keep the latest login, else the first file by name, else its first line."""
    clean = [each for each in sightings if not each.reasons]
    latest = max((each.last_login for each in clean), default="")
    kept = min(
        (each for each in clean if each.last_login == latest),
        key=lambda each: (each.file, each.repeat),
        default=None,
    )
    group = (known.country, known.signup_date.isoformat()[:7])
    for each in sightings:
        yield Row(each.file, each.line, each.reasons, each is kept, group, each.repeat)
