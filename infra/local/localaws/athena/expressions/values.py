"""Arithmetic, casts, arrays and subscripts."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from localaws.athena import casts, functions, times, types
from localaws.athena.errors import Position, QueryError, not_supported, syntax_error
from localaws.athena.expression import Expr, build, integer_literal
from localaws.athena.expressions.literals import decimal_literal
from localaws.athena.expressions.translator import Expressions, flattened, shown, translates
from localaws.athena.operators import arithmetic
from localaws.athena.sql import text
from localaws.athena.types import DATE, VARCHAR, Type

_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}


@translates(*_ARITHMETIC)
def _arithmetic(tx: Expressions, node: exp.Expr) -> Expr:
    return arithmetic(
        _ARITHMETIC[type(node)],
        tx.translate(node.this),
        tx.translate(node.expression),
        tx.at(node),
    )


@translates(exp.Neg)
def _negative(tx: Expressions, node: exp.Expr) -> Expr:
    value = tx.translate(node.this)
    if isinstance(value.literal, int) and types.is_integer(value.type):
        return integer_literal(-value.literal)
    if not types.is_number(value.type):
        raise syntax_error(f"Cannot negate {value.type}", tx.at(node))
    return replace(build("(-{})", value.type, value), fallible=True)


@translates(exp.DPipe)
def _concat(tx: Expressions, node: exp.Expr) -> Expr:
    operands = flattened(node, exp.DPipe)
    return functions.concatenate([tx.translate(operand) for operand in operands], tx.at(node))


@translates(exp.Cast)
def _cast(tx: Expressions, node: exp.Expr) -> Expr:
    target, length = types.parse_sql(node.args["to"])
    if node.args.get("format"):
        raise not_supported("CAST … FORMAT", tx.at(node))
    value = tx.translate(node.this)
    if isinstance(value.literal, str) and _is_time_literal(node, target):
        return _time_literal(tx, value.literal, target, node)
    if (
        isinstance(value.literal, str)
        and target.base == "decimal"
        and _is_prefixed(tx, node, "DECIMAL")
    ):
        return decimal_literal(tx, value.literal, node)
    try:
        result = casts.cast(value, target)
    except QueryError as error:
        raise _placed(error, tx.at(node)) from error
    return _cut(result, length)


def _is_prefixed(tx: Expressions, node: exp.Expr, keyword: str) -> bool:
    """Whether a literal was written ``KEYWORD '…'`` and not ``CAST('…' AS KEYWORD)``."""
    start = (node.this.meta or {}).get("start", 0)
    return tx.query.statement[:start].rstrip().upper().endswith(keyword)


def _time_literal(tx: Expressions, value: str, target: Type, node: exp.Expr) -> Expr:
    """``DATE '…'``, ``TIMESTAMP '…'`` and casts of string literals."""
    try:
        if target == DATE:
            return Expr(text(f"CAST('{times.parse_date(value)}' AS DATE)"), DATE)
        if target.base == "timestamp":
            stamp = times.parse_timestamp(value)
            literal = Expr(text(f"CAST('{stamp}' AS TIMESTAMP)"), types.timestamp(6))
            return casts.cast(literal, target) if target.precision < 6 else literal
        instant = times.parse_zoned(value)
    except times.BadTime as error:
        raise QueryError(
            "INVALID_CAST_ARGUMENT",
            f"Value cannot be cast to {target.base}: {value}",
            position=tx.at(node),
        ) from error
    except ValueError as error:
        code, _, message = str(error).partition(": ")
        raise QueryError(code, message, position=tx.at(node)) from error
    kind = types.timestamp_tz(target.precision, utc=times.is_utc_text(value))
    return Expr(text(f"CAST('{instant}' AS TIMESTAMP)"), kind)


@translates(exp.TryCast)
def _try_cast(tx: Expressions, node: exp.Expr) -> Expr:
    target, length = types.parse_sql(node.args["to"])
    value = tx.translate(node.this)
    if not value.fallible:
        tried = _cut(casts.cast(value, target), length)
        return replace(build("TRY({})", tried.type, tried), fallible=False)
    # Only the cast is tried: an error in what is cast stays one.
    name = tx.query.unique("l")
    tried = _cut(casts.cast(replace(value, sql=text(name), local=None), target), length)
    return build(
        f"list_extract(list_transform([{{}}], lambda {name}: TRY({{}})), 1)",
        tried.type,
        value,
        tried,
    )


def _cut(value: Expr, length: int | None) -> Expr:
    """``varchar(n)`` keeps the first n characters."""
    return value if length is None else build(f"t_substr3({{}}, 1, {length})", VARCHAR, value)


@translates(exp.AtTimeZone)
def _at_time_zone(tx: Expressions, node: exp.Expr) -> Expr:
    zone = tx.translate(node.args["zone"]).literal
    if not isinstance(zone, str):
        raise not_supported("AT TIME ZONE of anything but a literal", tx.at(node))
    return functions.at_utc(tx.translate(node.this), zone, tx.at(node))


@translates(exp.Array)
def _array(tx: Expressions, node: exp.Expr) -> Expr:
    items = [tx.translate(item) for item in node.expressions]
    if not items:
        return Expr(text("CAST([] AS INTEGER[])"), types.array(types.UNKNOWN))
    items = functions.unified(items, "All ARRAY elements", tx.at(node))
    return build(f"[{', '.join('{}' for _ in items)}]", types.array(items[0].type), *items)


@translates(exp.Bracket)
def _bracket(tx: Expressions, node: exp.Expr) -> Expr:
    if len(node.expressions) != 1:
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    return functions.subscript(
        tx.translate(node.this), tx.translate(node.expressions[0]), tx.at(node)
    )


def _is_time_literal(node: exp.Expr, target: Type) -> bool:
    return isinstance(node.this, exp.Literal) and (target == DATE or types.is_timestamp(target))


def _placed(error: QueryError, position: Position | None) -> QueryError:
    code, _, message = str(error).partition(": ")
    if message.startswith("line ") or code not in ("SYNTAX_ERROR", "NOT_SUPPORTED"):
        return error
    return QueryError(code, message, position=position, category=error.category)
