"""COALESCE and its like."""

from __future__ import annotations

from dataclasses import replace

from localaws.athena import casts, types
from localaws.athena.errors import syntax_error
from localaws.athena.expression import Expr, build, guarded
from localaws.athena.functions.calls import Call, unified
from localaws.athena.functions.registry import handles


@handles("coalesce")
def _coalesce(call: Call) -> Expr:
    if len(call.args) < 2:
        raise syntax_error(
            "The 'coalesce' function must have at least two arguments", call.position
        )
    args = unified(call.args, "All COALESCE operands", call.position)
    return build(f"COALESCE({', '.join('{}' for _ in args)})", args[0].type, *args)


@handles("nullif")
def _nullif(call: Call) -> Expr:
    call.count(2)
    left, right = unified(call.args, "Types of NULLIF operands", call.position)
    picked = build("CASE WHEN {0} = {1} THEN NULL ELSE {0} END", left.type, left, right)
    return picked if left.type == call.args[0].type else casts.cast(picked, call.args[0].type)


@handles("try")
def _try(call: Call) -> Expr:
    call.count(1)
    (arg,) = call.args
    return replace(build("TRY({})", arg.type, arg), fallible=False)


@handles("greatest", "least")
def _extreme(call: Call) -> Expr:
    if not call.args:
        raise call.mismatch(f"{call.name}(E, …)")
    args = unified(call.args, f"All {call.name} operands", call.position)
    kind = args[0].type
    if not types.is_orderable(kind) or kind.args:
        raise call.mismatch(f"{call.name}(E, …) E:orderable")
    slots = [f"{{{index}}}" for index in range(len(args))]
    any_null = " OR ".join(f"{slot} IS NULL" for slot in slots)
    # DuckDB ignores NULLs here, Trino does not.
    value = f"CASE WHEN {any_null} THEN NULL ELSE {call.name}({', '.join(slots)}) END"
    if kind in types.FLOATS:
        message = f"'NOT_SUPPORTED: {call.name}(NaN) is not supported by the local Athena'"
        return guarded(" OR ".join(f"isnan({s})" for s in slots), message, value, kind, *args)
    return build(value, kind, *args)
