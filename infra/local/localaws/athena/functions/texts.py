"""Concatenation."""

from __future__ import annotations

from collections.abc import Sequence

from localaws.athena import casts, types
from localaws.athena.errors import Position, syntax_error
from localaws.athena.expression import Expr, build
from localaws.athena.functions.calls import Call, unified
from localaws.athena.functions.registry import handles
from localaws.athena.types import VARCHAR


@handles("concat")
def _concat(call: Call) -> Expr:
    if len(call.args) < 2:
        raise syntax_error("There must be two or more concatenation arguments", call.position)
    return concatenate(call.args, call.position)


def concatenate(args: Sequence[Expr], position: Position | None) -> Expr:
    """``a || b``: NULL if any is; of varchars, of varbinaries or of arrays."""
    kinds = {arg.type for arg in args if arg.type != types.UNKNOWN}
    if len(kinds) == 1 and (kind := next(iter(kinds))).base in ("varchar", "varbinary"):
        pieces = [casts.coerce(arg, kind) for arg in args]
        return build("(" + " || ".join("{}" for _ in pieces) + ")", kind, *pieces)
    if kinds and all(kind.base == "array" for kind in kinds):
        arrays = unified(args, "All concatenation arguments", position)
        slots = [f"{{{index}}}" for index in range(len(arrays))]
        any_null = " OR ".join(f"{slot} IS NULL" for slot in slots)
        joined = slots[0]
        for slot in slots[1:]:
            joined = f"list_concat({joined}, {slot})"
        return build(f"CASE WHEN {any_null} THEN NULL ELSE {joined} END", arrays[0].type, *arrays)
    given = ", ".join(str(arg.type) for arg in args)
    raise syntax_error(
        f"Unexpected parameters ({given}) for function concat. Expected: concat(char(x), char(y)), "
        "concat(array(E), E) E, concat(E, array(E)) E, concat(array(E)) E, concat(varchar), "
        "concat(varbinary)",
        position,
    )


@handles("concat_ws")
def _concat_ws(call: Call) -> Expr:
    if len(call.args) < 2:
        raise call.mismatch("concat_ws(varchar, varchar, …)")
    args = [call.arg(index, VARCHAR) for index in range(len(call.args))]
    return build(f"concat_ws({', '.join('{}' for _ in args)})", VARCHAR, *args)
