"""Numbers."""

from __future__ import annotations

from dataclasses import replace

from localaws.athena import types
from localaws.athena.errors import not_supported
from localaws.athena.expression import Expr, build
from localaws.athena.functions.calls import Call
from localaws.athena.functions.registry import handles
from localaws.athena.operators import arithmetic
from localaws.athena.types import DOUBLE, duckdb_name


def _number(call: Call, index: int = 0) -> Expr:
    if not types.is_number(call.args[index].type):
        raise call.mismatch(f"{call.name}(number)")
    return call.args[index]


@handles("abs")
def _abs(call: Call) -> Expr:
    call.count(1)
    value = _number(call)
    return replace(build("abs({})", value.type, value), fallible=True)


@handles("ceil", "ceiling", "floor")
def _whole(call: Call) -> Expr:
    call.count(1)
    value = _number(call)
    if types.is_integer(value.type):
        return value
    name = "floor" if call.name == "floor" else "ceil"
    if value.type.base == "decimal":
        digits = value.type.precision - value.type.scale + min(value.type.scale, 1)
        kind = types.decimal(max(1, min(digits, types.MAX_DECIMAL)), 0)
        return build(f"CAST({name}({{}}) AS {duckdb_name(kind)})", kind, value)
    return build(f"{name}({{}})", value.type, value)


@handles("round")
def _round(call: Call) -> Expr:
    call.count(1, 2)
    value = _number(call)
    digits = call.args[1].literal if len(call.args) == 2 else 0
    if not isinstance(digits, int) or digits < 0:
        raise not_supported("round() to digits that are not a literal of 0 or more", call.position)
    if types.is_integer(value.type):
        return value
    if value.type.base == "decimal":
        return _round_decimal(value, digits, has_digits=len(call.args) == 2)
    if value.type == types.REAL:
        raise not_supported("round(real)", call.position)
    if digits == 0:
        return build("round({})", value.type, value)
    return build(f"t_round({{}}, {digits})", DOUBLE, value)


def _round_decimal(value: Expr, digits: int, *, has_digits: bool) -> Expr:
    precision, scale = value.type.precision, value.type.scale
    if has_digits:
        kind = types.decimal(min(types.MAX_DECIMAL, precision + 1), scale)
    else:
        kind = types.decimal(max(1, min(types.MAX_DECIMAL, precision - scale + min(1, scale))), 0)
    return build(f"CAST(round({{}}, {min(digits, scale)}) AS {duckdb_name(kind)})", kind, value)


@handles("sign")
def _sign(call: Call) -> Expr:
    call.count(1)
    value = _number(call)
    if not types.is_integer(value.type):
        raise not_supported(f"sign({value.type})", call.position)
    return build(f"CAST(sign({{}}) AS {duckdb_name(value.type)})", value.type, value)


@handles("mod")
def _mod(call: Call) -> Expr:
    call.count(2)
    return arithmetic("%", call.args[0], call.args[1], call.position)
