"""Arithmetic and comparison, with Trino's types and errors."""

from __future__ import annotations

from localaws.athena import casts, types
from localaws.athena.errors import Position, not_supported, syntax_error
from localaws.athena.expression import Expr, build
from localaws.athena.types import BOOLEAN, DATE, DAY_INTERVAL, MONTH_INTERVAL, Type, duckdb_name

_INTERVALS = (DAY_INTERVAL, MONTH_INTERVAL)


def arithmetic(operator: str, left: Expr, right: Expr, position: Position | None) -> Expr:
    """``left operator right`` for ``+ - * / %``; raises QueryError when it is not defined."""
    if left.type == types.UNKNOWN and types.is_number(right.type):
        left = casts.coerce(left, right.type)
    if right.type == types.UNKNOWN and types.is_number(left.type):
        right = casts.coerce(right, left.type)
    if types.is_number(left.type) and types.is_number(right.type):
        kind = types.common_type(left.type, right.type)
        if kind is not None and kind.base == "decimal":
            return _decimal(operator, left, right)
        if kind is not None:
            return _plain(operator, casts.coerce(left, kind), casts.coerce(right, kind), kind)
    if operator in "+-":
        shifted = _shift(operator, left, right, position)
        if shifted is not None:
            return shifted
    raise syntax_error(f"'{operator}' cannot be applied to {left.type}, {right.type}", position)


def _plain(operator: str, left: Expr, right: Expr, kind: Type) -> Expr:
    if types.is_integer(kind):
        # DuckDB's own checks raise Trino's errors: overflow, division by zero.
        symbol = "//" if operator == "/" else operator
        return build(f"({{}} {symbol} {{}})", kind, left, right)
    if operator == "%":
        zero = f"CAST('nan' AS {duckdb_name(kind)})"
        return build(f"CASE WHEN {{1}} = 0 THEN {zero} ELSE {{0}} % {{1}} END", kind, left, right)
    return build(f"CAST(({{}} {operator} {{}}) AS {duckdb_name(kind)})", kind, left, right)


def _decimal(operator: str, left: Expr, right: Expr) -> Expr:
    """Result types: https://trino.io/docs/current/functions/decimal.html"""
    one = casts.coerce(left, types.as_decimal(left.type))
    other = casts.coerce(right, types.as_decimal(right.type))
    (p1, s1), (p2, s2) = one.type.numbers, other.type.numbers
    if operator in "+-":
        scale = max(s1, s2)
        precision = scale + max(p1 - s1, p2 - s2) + 1
    elif operator == "*":
        scale, precision = s1 + s2, p1 + p2
    elif operator == "/":
        scale = max(s1, s2)
        precision = p1 + s2 + max(0, s2 - s1)
    else:
        scale = max(s1, s2)
        precision = min(p1 - s1, p2 - s2) + scale
    if scale > types.MAX_DECIMAL:
        raise not_supported(f"a decimal of scale {scale}")
    kind = types.decimal(max(1, min(types.MAX_DECIMAL, precision)), scale)
    name = duckdb_name(kind)
    if operator == "/":
        quotient = f"t_divide(CAST({{}} AS VARCHAR), CAST({{}} AS VARCHAR), {scale})"
        return build(f"CAST({quotient} AS {name})", kind, one, other)
    if operator == "%":
        wide = duckdb_name(types.decimal(types.MAX_DECIMAL, scale))
        rest = (
            "CASE WHEN {1} = 0 THEN CASE WHEN t_fail('DIVISION_BY_ZERO: Division by zero') "
            f"THEN NULL END ELSE CAST({{0}} AS {wide}) % CAST({{1}} AS {wide}) END"
        )
        return build(f"CAST({rest} AS {name})", kind, one, other)
    if operator == "*":
        return build(f"CAST(({{}} * {{}}) AS {name})", kind, one, other)
    return build(
        f"CAST((CAST({{}} AS {name}) {operator} CAST({{}} AS {name})) AS {name})", kind, one, other
    )


def _shift(operator: str, left: Expr, right: Expr, position: Position | None) -> Expr | None:
    """A date or timestamp moved by an interval literal."""
    if operator == "+" and left.type in _INTERVALS:
        left, right = right, left
    if right.type not in _INTERVALS:
        if operator == "-" and _is_moment(left) and _is_moment(right):
            raise not_supported("an interval as a result (use date_diff)", position)
        return None
    if left.type == DATE:
        if right.type == DAY_INTERVAL and right.literal != "whole days":
            raise syntax_error("Cannot add hour, minutes or seconds to a date", position)
        return build(f"CAST(({{}} {operator} {{}}) AS DATE)", DATE, left, right)
    if not types.is_timestamp(left.type):
        return None
    if right.type == MONTH_INTERVAL and left.type.base == "timestamp with time zone":
        casts.in_utc(left, "adding months")
    return build(f"({{}} {operator} {{}})", left.type, left, right)


def _is_moment(expr: Expr) -> bool:
    return expr.type == DATE or types.is_timestamp(expr.type)


def comparison(operator: str, left: Expr, right: Expr, position: Position | None) -> Expr:
    """``left operator right`` for ``= <> < <= > >=``."""
    one, other = _comparable(operator, left, right, position)
    if operator not in ("=", "<>") and not types.is_orderable(one.type):
        raise syntax_error(f"'{operator}' cannot be applied to {left.type}, {right.type}", position)
    if one.type in types.FLOATS:
        # DuckDB sorts NaN above everything and equal to itself; in Trino it compares to nothing.
        unequal = "TRUE" if operator == "<>" else "FALSE"
        return build(
            f"CASE WHEN {{0}} IS NOT NULL AND {{1}} IS NOT NULL AND (isnan({{0}}) OR isnan({{1}})) "
            f"THEN {unequal} ELSE {{0}} {operator} {{1}} END",
            BOOLEAN,
            one,
            other,
        )
    return build(f"({{}} {operator} {{}})", BOOLEAN, one, other)


def distinct_from(left: Expr, right: Expr, position: Position | None, *, distinct: bool) -> Expr:
    """``IS [NOT] DISTINCT FROM``."""
    one, other = _comparable("IS DISTINCT FROM", left, right, position)
    return build(f"({{}} IS {'' if distinct else 'NOT '}DISTINCT FROM {{}})", BOOLEAN, one, other)


def _comparable(
    operator: str, left: Expr, right: Expr, position: Position | None
) -> tuple[Expr, Expr]:
    kind = types.common_type(left.type, right.type)
    if kind is None:
        raise syntax_error(f"Cannot apply operator: {left.type} {operator} {right.type}", position)
    if kind.args and (kind.base == "map" or left.type != right.type):
        raise not_supported(f"comparing {left.type} with {right.type}", position)
    if kind.base in ("array", "row") and operator != "IS DISTINCT FROM":
        # Trino's answer is NULL for a NULL inside, DuckDB compares it.
        raise not_supported(f"comparing values of type {kind}", position)
    return casts.coerce(left, kind), casts.coerce(right, kind)
