"""The dirt of real life: what is wrong with a row, and under which reasons it must be rejected.

A reason is `<column>.<rule>` as in include/contracts/customers.odcs.yaml; `row.malformed` is a row
that cannot be split into the columns of the header.
"""

import datetime as dt
from collections.abc import Callable

from feed.draws import Draws

COLUMNS = (
    "customer_id",
    "first_name",
    "last_name",
    "email",
    "country",
    "signup_date",
    "last_login",
    "total_orders",
    "total_spent_usd",
    "is_premium",
)

Fields = dict[str, str]
Reasons = frozenset[str]

_TRUE = ("true", "True", "TRUE", "t", "yes", "Y", "1")
_FALSE = ("false", "False", "FALSE", "f", "no", "N", "0")


def boolean(value: bool, draws: Draws) -> str:
    """One of the ways in which the source systems write a truth value; all are accepted."""
    return draws.one_of(_TRUE if value else _FALSE)


def untidy(fields: Fields, draws: Draws) -> Fields:
    """The same row with stray whitespace around a field, which is accepted and trimmed."""
    column = draws.one_of(COLUMNS)
    return fields | {column: draws.one_of(("  {}", "{} ", "\t{}", " {}  ")).format(fields[column])}


def csv_line(fields: Fields) -> str:
    """The row as RFC 4180 wants it, without the line end."""
    return ",".join(map(_quoted, fields.values()))


def _quoted(text: str) -> str:
    if '"' in text or "," in text:
        return '"' + text.replace('"', '""') + '"'
    return text


# Each column's wrong values that a source has been seen to send, with the reasons.
_WRONG: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("customer_id", ("", "  "), ("customer_id.required",)),
    ("customer_id", ("C42", "c000000042", "null", "C00000004X"), ("customer_id.pattern",)),
    ("first_name", ("", " "), ("first_name.required",)),
    ("first_name", ("Wolfeschlegelstein" * 6,), ("first_name.length",)),
    ("email", ("",), ("email.required",)),
    ("email", ("not given", "zoe(at)post.example", "zoe@localhost"), ("email.pattern",)),
    ("country", ("UK", "XX", "EU"), ("country.allowed",)),
    ("country", ("Germany", "us", "N/A"), ("country.allowed", "country.pattern")),
    ("country", ("",), ("country.required",)),
    ("signup_date", ("",), ("signup_date.required",)),
    ("signup_date", ("2025-02-30", "31/12/2025", "0000-00-00", "2025-7-4"), ("signup_date.type",)),
    ("signup_date", ("20250704", "yesterday", "2025-07-04T00:00:00Z"), ("signup_date.type",)),
    ("signup_date", ("1900-01-01", "1970-01-01"), ("signup_date.minimum",)),
    ("last_login", ("2026-10-31 17:05:09", "2026-10-31T25:00:00Z"), ("last_login.type",)),
    ("last_login", ("1793466309", "never", "2026-10-31"), ("last_login.type",)),
    ("last_login", ("2001-01-01T00:00:00Z",), ("last_login.not_before_signup",)),
    ("total_orders", ("-1", "-12"), ("total_orders.minimum",)),
    ("total_orders", ("3.5", "twelve", "1e3", "0x10"), ("total_orders.type",)),
    ("total_orders", ("9223372036854775808",), ("total_orders.type",)),
    ("total_orders", ("",), ("total_orders.required",)),
    ("total_spent_usd", ("-0.01", "-250.00"), ("total_spent_usd.minimum",)),
    ("total_spent_usd", ("1,234.50", "$12.00", "12.345", "NaN"), ("total_spent_usd.type",)),
    ("total_spent_usd", ("10000000000.00", "1e2"), ("total_spent_usd.type",)),
    ("total_spent_usd", ("",), ("total_spent_usd.required",)),
    ("is_premium", ("maybe", "2", "oui"), ("is_premium.type",)),
    ("is_premium", ("",), ("is_premium.required",)),
)


def _wrong_value(fields: Fields, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    column, values, reasons = draws.one_of(_WRONG)
    return csv_line(fields | {column: draws.one_of(values)}), frozenset(reasons)


def _wrong_twice(fields: Fields, _day: dt.date, _draws: Draws) -> tuple[str, Reasons]:
    wrong = fields | {"customer_id": "", "total_spent_usd": "-1.00"}
    return csv_line(wrong), frozenset({"customer_id.required", "total_spent_usd.minimum"})


def _login_after_the_day(fields: Fields, day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    late = day + dt.timedelta(days=1 + draws.below(400))
    wrong = fields | {"last_login": f"{late.isoformat()}T00:00:00Z"}
    return csv_line(wrong), frozenset({"last_login.not_after_day"})


def _signup_after_the_day(fields: Fields, day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    late = day + dt.timedelta(days=1 + draws.below(400))
    reasons = {"signup_date.not_after_day"}
    if fields["last_login"]:
        reasons.add("last_login.not_before_signup")
    return csv_line(fields | {"signup_date": late.isoformat()}), frozenset(reasons)


def _fields_missing(fields: Fields, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    kept = dict(list(fields.items())[: 1 + draws.below(len(COLUMNS) - 1)])
    return csv_line(kept), frozenset({"row.malformed"})


def _fields_extra(fields: Fields, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    more = draws.one_of(("", "VIP", "see note"))
    return f"{csv_line(fields)},{more}", frozenset({"row.malformed"})


def _stray_quote(fields: Fields, _day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    column = draws.one_of(("first_name", "last_name", "email"))
    stray = draws.one_of(('"{}', '{}"', '{}" ', 'the "{}', '"{}" x'))
    broken = [
        stray.format(text.replace('"', "")) if name == column else _quoted(text)
        for name, text in fields.items()
    ]
    return ",".join(broken), frozenset({"row.malformed"})


_Dirt = Callable[[Fields, dt.date, Draws], tuple[str, Reasons]]
_DIRT: tuple[_Dirt, ...] = (
    *(_wrong_value,) * 12,
    _wrong_twice,
    _login_after_the_day,
    _signup_after_the_day,
    _fields_missing,
    _fields_extra,
    *(_stray_quote,) * 2,
)


def soiled(fields: Fields, day: dt.date, draws: Draws) -> tuple[str, Reasons]:
    """A line made of `fields` that must be rejected, and every reason to reject it."""
    return draws.one_of(_DIRT)(fields, day, draws)
