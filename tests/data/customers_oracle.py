"""A second, plain reading of the customers contract, to check the generator and the jobs against.

It shares no code with either: rules are written out by hand from the contract's text, one row at a
time. Slow and simple on purpose.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.data.fates import Day, Read, fates

HEADER = (
    "customer_id,first_name,last_name,email,country,signup_date,last_login,total_orders,"
    "total_spent_usd,is_premium"
)
# Of the many codes the contract allows, those that occur in the samples.
COUNTRIES = frozenset(
    {"US", "GB", "DE", "NL", "FR", "ES", "PL", "NO"}
    | {"TR", "GR", "JP", "VN", "EG", "IN", "BR", "ID"}
)
TRUE = frozenset({"true", "t", "yes", "y", "1"})
FALSE = frozenset({"false", "f", "no", "n", "0"})
REQUIRED = frozenset(
    {"customer_id", "first_name", "email", "country", "signup_date"}
    | {"total_orders", "total_spent_usd", "is_premium"}
)
FIELD = r'(?:"(?:[^"]|"")*"|[^",]*)'


def read_day(directory: Path) -> Day:
    """What must become of the files in `directory`, which is named `dt=YYYY-MM-DD`."""
    day = date.fromisoformat(directory.name.removeprefix("dt="))
    files = {path.name: read_file(path, day) for path in sorted(directory.glob("*.csv"))}
    return fates(files, lambda row: row.values["customer_id"], last_login)


def last_login(row: Read) -> datetime:
    """Who never logged in did so before everybody else."""
    return moment(row.values["last_login"]) or datetime.min.replace(tzinfo=UTC)


def silver_of(row: Read) -> dict[str, Any]:
    """The values of a good row, in the types of the contract."""
    values = {name: text or None for name, text in row.values.items()}
    return {
        **values,
        "signup_date": date.fromisoformat(row.values["signup_date"]),
        "last_login": moment(row.values["last_login"]),
        "total_orders": int(row.values["total_orders"]),
        "total_spent_usd": Decimal(row.values["total_spent_usd"]),
        "is_premium": row.values["is_premium"].lower() in TRUE,
    }


def gold_of(kept: Iterable[Read]) -> dict[str, set[tuple[Any, ...]]]:
    """The rows of the table of gold."""
    groups: dict[tuple[str, str], tuple[int, int, int, Decimal]] = {}
    for row in kept:
        values = row.values
        group = (values["country"], values["signup_date"][:7])
        customers, premium, orders, dollars = groups.get(group, (0, 0, 0, Decimal(0)))
        groups[group] = (
            customers + 1,
            premium + (values["is_premium"].lower() in TRUE),
            orders + int(values["total_orders"]),
            dollars + Decimal(values["total_spent_usd"]),
        )
    return {"customers_by_country_month": {(*group, *of) for group, of in groups.items()}}


def read_file(path: Path, day: date) -> Iterator[Read]:
    """Every row of the file, the header (line 1) left out."""
    lines = path.read_bytes().decode().split("\n")
    assert lines.pop() == "", f"{path} does not end with a line end"
    assert lines[0].rstrip("\r") == HEADER, f"{path} has a different header"
    for number, raw in enumerate(lines[1:], start=2):
        line = raw.removesuffix("\r")
        if not re.fullmatch(f"{FIELD}(,{FIELD}){{9}}", line):
            yield Read(path.name, number, {}, frozenset({"row.malformed"}))
            continue
        fields = [text.strip() for text in next(csv.reader([line], strict=True))]
        values = dict(zip(HEADER.split(","), fields, strict=True))
        yield Read(path.name, number, values, frozenset(wrong(values, day)))


def moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def calendar_day(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def wrong(values: dict[str, str], day: date) -> Iterator[str]:
    """Every rule the row breaks."""
    for column in REQUIRED:
        if not values[column]:
            yield f"{column}.required"
    if (text := values["customer_id"]) and not re.fullmatch("C[0-9]{9}", text):
        yield "customer_id.pattern"
    for column, limit in (("first_name", 100), ("last_name", 100), ("email", 254)):
        if len(values[column]) > limit:
            yield f"{column}.length"
    if (text := values["email"]) and not is_address(text):
        yield "email.pattern"
    if (text := values["country"]) and not re.fullmatch("[A-Z][A-Z]", text):
        yield "country.pattern"
    if text and text not in COUNTRIES:
        yield "country.allowed"
    yield from wrong_dates(values["signup_date"], values["last_login"], day)
    yield from wrong_numbers(values["total_orders"], values["total_spent_usd"])
    if (text := values["is_premium"]) and text.lower() not in TRUE | FALSE:
        yield "is_premium.type"


def is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    if not (name and at) or "@" in host or any(c.isspace() for c in text):
        return False
    return len(host.split(".")) > 1 and all(host.split("."))


def wrong_dates(signup: str, login: str, day: date) -> Iterator[str]:
    signed_up = calendar_day(signup)
    if signup and signed_up is None:
        yield "signup_date.type"
    if signed_up is not None:
        if signed_up < date(2000, 1, 1):
            yield "signup_date.minimum"
        if signed_up > day:
            yield "signup_date.not_after_day"
    at = moment(login)
    if login and at is None:
        yield "last_login.type"
    if at is not None:
        if at >= datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1):
            yield "last_login.not_after_day"
        if signed_up is not None and at.date() < signed_up:
            yield "last_login.not_before_signup"


def wrong_numbers(orders: str, spent: str) -> Iterator[str]:
    if orders:
        if not re.fullmatch(r"-?[0-9]+", orders) or not -(2**63) <= int(orders) < 2**63:
            yield "total_orders.type"
        elif int(orders) < 0:
            yield "total_orders.minimum"
        elif int(orders) > 1_000_000_000:
            yield "total_orders.maximum"
    if spent:
        if not re.fullmatch(r"-?[0-9]{1,10}(\.[0-9]{1,2})?", spent):
            yield "total_spent_usd.type"
        elif Decimal(spent) < 0:
            yield "total_spent_usd.minimum"
