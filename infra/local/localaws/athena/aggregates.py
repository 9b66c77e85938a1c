"""Aggregate and window functions: the allow-list, and what DuckDB calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localaws.athena import casts, types
from localaws.athena.errors import Position, not_supported, syntax_error
from localaws.athena.expression import Expr
from localaws.athena.sql import Sql, compose, text
from localaws.athena.types import BIGINT, BOOLEAN, DOUBLE, VARCHAR, Type, array, duckdb_name, map_of


@dataclass(frozen=True, slots=True)
class Aggregate:
    """DuckDB calls (each may get FILTER and OVER) and how the result is made of them."""

    type: Type
    calls: tuple[Sql, ...]
    result: str = "{}"


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """One call as written: `distinct` and `order` (``ORDER BY …``) stand inside its parentheses."""

    name: str
    args: tuple[Expr, ...]
    distinct: bool
    order: Sql | None
    position: Position | None

    def mismatch(self, expected: str) -> Exception:
        """The error for arguments of the wrong number or type."""
        given = ", ".join(str(arg.type) for arg in self.args)
        return syntax_error(
            f"Unexpected parameters ({given}) for function {self.name}. Expected: {expected}",
            self.position,
        )

    def only(self) -> Expr:
        """The single argument."""
        if len(self.args) != 1:
            raise self.mismatch(f"{self.name}(T)")
        return self.args[0]

    def sql(self, function: str, *args: Expr) -> Sql:
        """``function([DISTINCT] args [ORDER BY …])``."""
        slots = ", ".join("{}" for _ in args)
        pieces = [arg.sql for arg in args]
        distinct = "DISTINCT " if self.distinct else ""
        if self.order is None:
            return compose(f"{function}({distinct}{slots})", *pieces)
        return compose(f"{function}({distinct}{slots} {{}})", *pieces, self.order)


_Handler = Callable[[AggregateCall], Aggregate]
_HANDLERS: dict[str, _Handler] = {}


def _handles(*names: str) -> Callable[[_Handler], _Handler]:
    def add(handler: _Handler) -> _Handler:
        _HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return add


def is_aggregate(name: str) -> bool:
    """Whether `name` is an aggregate function here."""
    return name in _HANDLERS


def aggregate(call: AggregateCall) -> Aggregate:
    """The DuckDB calls of one aggregate call; raises QueryError."""
    return _HANDLERS[call.name](call)


@_handles("count")
def _count(call: AggregateCall) -> Aggregate:
    if not call.args:
        return Aggregate(BIGINT, (text("count(*)"),))
    return Aggregate(BIGINT, (call.sql("count", call.only()),))


@_handles("count_if")
def _count_if(call: AggregateCall) -> Aggregate:
    if call.only().type != BOOLEAN or call.distinct:
        raise call.mismatch("count_if(boolean)")
    return Aggregate(BIGINT, (compose("count(CASE WHEN {} THEN 1 END)", call.only().sql),))


@_handles("approx_distinct")
def _approx_distinct(call: AggregateCall) -> Aggregate:
    # The exact count is within any error bound.
    return Aggregate(BIGINT, (compose("count(DISTINCT {})", call.only().sql),))


@_handles("sum")
def _sum(call: AggregateCall) -> Aggregate:
    value = call.only()
    calls = (call.sql("sum", value),)
    if types.is_integer(value.type):
        return Aggregate(BIGINT, calls, "CAST({} AS BIGINT)")
    if value.type.base == "decimal":
        kind = types.decimal(types.MAX_DECIMAL, value.type.scale)
        return Aggregate(kind, calls, f"CAST({{}} AS {duckdb_name(kind)})")
    if value.type in types.FLOATS:
        return Aggregate(value.type, calls, f"CAST({{}} AS {duckdb_name(value.type)})")
    raise call.mismatch("sum(bigint), sum(double), sum(decimal(p,s)), sum(real)")


@_handles("avg")
def _avg(call: AggregateCall) -> Aggregate:
    value = call.only()
    if types.is_integer(value.type) or value.type == DOUBLE:
        return Aggregate(DOUBLE, (call.sql("avg", value),))
    if value.type.base == "decimal":
        kind = value.type
        quotient = (
            f"CAST(t_divide(CAST({{}} AS VARCHAR), CAST(nullif({{}}, 0) AS VARCHAR), {kind.scale}) "
            f"AS {duckdb_name(kind)})"
        )
        return Aggregate(kind, (call.sql("sum", value), call.sql("count", value)), quotient)
    if value.type == types.REAL:
        raise not_supported("avg(real)", call.position)
    raise call.mismatch("avg(bigint), avg(double), avg(decimal(p,s))")


@_handles("min", "max")
def _extreme(call: AggregateCall) -> Aggregate:
    value = call.only()
    if not types.is_orderable(value.type):
        raise call.mismatch(f"{call.name}(E) E:orderable")
    if value.type.args:
        raise not_supported(f"{call.name}({value.type})", call.position)
    return Aggregate(value.type, (call.sql(call.name, value),))


@_handles("min_by", "max_by")
def _extreme_by(call: AggregateCall) -> Aggregate:
    if len(call.args) != 2 or call.distinct:
        raise not_supported(f"{call.name} with other than two arguments", call.position)
    value, key = call.args
    if not types.is_orderable(key.type) or key.type.args:
        raise call.mismatch(f"{call.name}(V, K) K:orderable")
    name = "arg_min_null" if call.name == "min_by" else "arg_max_null"
    return Aggregate(value.type, (call.sql(name, value, key),))


@_handles("arbitrary", "any_value")
def _arbitrary(call: AggregateCall) -> Aggregate:
    return Aggregate(call.only().type, (call.sql("any_value", call.only()),))


@_handles("bool_and", "every", "bool_or")
def _logical(call: AggregateCall) -> Aggregate:
    if call.only().type != BOOLEAN:
        raise call.mismatch(f"{call.name}(boolean)")
    name = "bool_or" if call.name == "bool_or" else "bool_and"
    return Aggregate(BOOLEAN, (call.sql(name, call.only()),))


@_handles("array_agg")
def _array_agg(call: AggregateCall) -> Aggregate:
    return Aggregate(array(call.only().type), (call.sql("list", call.only()),))


@_handles("map_agg")
def _map_agg(call: AggregateCall) -> Aggregate:
    if len(call.args) != 2 or call.distinct:
        raise call.mismatch("map_agg(K, V)")
    key, value = call.args
    kind = map_of(key.type, value.type)
    # A duplicate or NULL key is an error here; Trino keeps one of them, or none.
    return Aggregate(kind, (call.sql("list", key), call.sql("list", value)), "map({}, {})")


@_handles("listagg")
def _listagg(call: AggregateCall) -> Aggregate:
    if not call.args or call.order is None or len(call.args) > 2:
        raise call.mismatch("listagg(varchar, varchar) WITHIN GROUP (ORDER BY …)")
    value = call.args[0]
    if value.type != VARCHAR:
        raise call.mismatch("listagg(varchar, varchar) WITHIN GROUP (ORDER BY …)")
    if len(call.args) == 2 and not isinstance(call.args[1].literal, str):
        raise not_supported("listagg with a separator that is not a literal", call.position)
    separator = call.args[1] if len(call.args) == 2 else Expr(text("''"), VARCHAR)
    return Aggregate(VARCHAR, (call.sql("string_agg", value, separator),))


@dataclass(frozen=True, slots=True)
class WindowFunction:
    """A DuckDB function that needs OVER, and its result type."""

    type: Type
    call: str
    args: tuple[Expr, ...]


_RANKING = {
    "row_number": BIGINT,
    "rank": BIGINT,
    "dense_rank": BIGINT,
    "percent_rank": DOUBLE,
    "cume_dist": DOUBLE,
}
_VALUE_FUNCTIONS = ("first_value", "last_value", "nth_value", "lag", "lead")


def is_window(name: str) -> bool:
    """Whether `name` is a window function here (aggregates aside)."""
    return name in _RANKING or name in _VALUE_FUNCTIONS or name == "ntile"


def window_function(name: str, args: tuple[Expr, ...], position: Position | None) -> WindowFunction:
    """The DuckDB form of one window function; raises QueryError."""
    if name in _RANKING:
        if args:
            raise syntax_error(f"Unexpected parameters for function {name}", position)
        return WindowFunction(_RANKING[name], f"{name}(", ())
    if not args:
        raise syntax_error(f"Unexpected parameters () for function {name}", position)
    if name == "ntile":
        return WindowFunction(BIGINT, "ntile(", (casts.coerce(args[0], BIGINT),))
    value, rest = args[0], args[1:]
    if len(rest) > (2 if name in ("lag", "lead") else 1 if name == "nth_value" else 0):
        raise syntax_error(f"Unexpected parameters for function {name}", position)
    if rest and not (isinstance(rest[0].literal, int) and rest[0].literal >= 0):
        raise not_supported(f"{name} whose offset is not a literal of 0 or more", position)
    if name == "nth_value" and (not rest or rest[0].literal == 0):
        raise not_supported("nth_value without an offset of 1 or more", position)
    coerced = [value, *rest[:1]]
    if len(rest) == 2:
        kind = types.common_type(value.type, rest[1].type)
        if kind != value.type:
            raise syntax_error(f"Unexpected parameters for function {name}", position)
        coerced.append(casts.coerce(rest[1], value.type))
    return WindowFunction(value.type, f"{name}(", tuple(coerced))
