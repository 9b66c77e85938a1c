"""Literals, and what is the same for a whole query."""

from __future__ import annotations

from sqlglot import exp

from localaws.athena import casts, types
from localaws.athena.errors import not_supported, syntax_error
from localaws.athena.expression import Expr, build, integer_literal, null, varchar_literal
from localaws.athena.expressions.translator import Expressions, shown, translates
from localaws.athena.sql import text
from localaws.athena.types import BOOLEAN, DATE, duckdb_name


@translates(exp.Literal)
def _literal(tx: Expressions, node: exp.Expr) -> Expr:
    if node.args["is_string"]:
        return varchar_literal(node.this)
    digits = node.name
    if digits.isdecimal():
        value = int(digits)
        if value >= 2**63:
            raise syntax_error(f"Invalid numeric literal: {digits}", tx.at(node))
        return integer_literal(value)
    if "e" in digits.lower():
        return Expr(text(f"CAST('{float(digits)!r}' AS DOUBLE)"), types.DOUBLE)
    return decimal_literal(tx, digits, node)


def decimal_literal(tx: Expressions, digits: str, node: exp.Expr) -> Expr:
    """``12.50``: as many digits as written."""
    sign = "-" if digits.startswith("-") else ""
    whole, _, fraction = digits.lstrip("+-").partition(".")
    if not (whole + fraction).isdecimal():
        raise syntax_error(f"Invalid numeric literal: {digits}", tx.at(node))
    whole = whole.lstrip("0")
    precision = max(1, len(whole) + len(fraction))
    if precision > types.MAX_DECIMAL:
        raise syntax_error(f"Invalid decimal literal: {digits}", tx.at(node))
    kind = types.decimal(precision, len(fraction))
    return Expr(text(f"CAST('{sign}{whole or 0}.{fraction or 0}' AS {duckdb_name(kind)})"), kind)


@translates(exp.Boolean)
def _boolean_literal(_tx: Expressions, node: exp.Expr) -> Expr:
    return Expr(text("TRUE" if node.this else "FALSE"), BOOLEAN)


@translates(exp.Null)
def _null(_tx: Expressions, _node: exp.Expr) -> Expr:
    return null()


@translates(exp.HexString)
def _hex(tx: Expressions, node: exp.Expr) -> Expr:
    digits = node.name
    if len(digits) % 2 or any(char not in "0123456789abcdefABCDEF" for char in digits):
        raise syntax_error(f"Invalid hexadecimal literal: {digits}", tx.at(node))
    return Expr(text(f"unhex('{digits}')"), types.VARBINARY)


@translates(exp.Paren)
def _paren(tx: Expressions, node: exp.Expr) -> Expr:
    return tx.translate(node.this)


@translates(exp.Interval)
def _interval(tx: Expressions, node: exp.Expr) -> Expr:
    unit = node.args.get("unit")
    amount = node.this
    if not isinstance(unit, exp.Var) or not isinstance(amount, exp.Literal):
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    digits, name = amount.name.strip(), unit.name.upper()
    if not digits.lstrip("+-").isdecimal() or not amount.args["is_string"]:
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    if name in ("YEAR", "MONTH"):
        months = int(digits) * (12 if name == "YEAR" else 1)
        return Expr(text(f"to_months(CAST({months} AS INTEGER))"), types.MONTH_INTERVAL)
    if name not in ("DAY", "HOUR", "MINUTE", "SECOND"):
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    seconds = int(digits) * {"DAY": 86_400, "HOUR": 3_600, "MINUTE": 60, "SECOND": 1}[name]
    whole_days = "whole days" if seconds % 86_400 == 0 else None
    return Expr(
        text(f"to_microseconds(CAST({seconds * 1_000_000} AS BIGINT))"),
        types.DAY_INTERVAL,
        literal=whole_days,
    )


@translates(exp.CurrentTimestamp)
def _current_timestamp(tx: Expressions, node: exp.Expr) -> Expr:
    if node.args.get("this") is not None:
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    return tx.now


@translates(exp.CurrentDate)
def _current_date(tx: Expressions, node: exp.Expr) -> Expr:
    if node.args.get("this") is not None:
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    return build("CAST({} AS DATE)", DATE, tx.now)


@translates(exp.Localtimestamp)
def _local_timestamp(tx: Expressions, node: exp.Expr) -> Expr:
    return casts.cast(_current_timestamp(tx, node), types.timestamp(3))
