"""Arrays, maps and rows."""

from __future__ import annotations

from dataclasses import replace

from localaws.athena import casts, types
from localaws.athena.errors import Position, not_supported, syntax_error
from localaws.athena.expression import Expr, build, guarded
from localaws.athena.functions.calls import Call
from localaws.athena.functions.registry import handles
from localaws.athena.sql import string
from localaws.athena.types import BIGINT, BOOLEAN, DATE, VARCHAR, Type, array, can_coerce


def _array_arg(call: Call, index: int = 0) -> Expr:
    if index >= len(call.args) or call.args[index].type.base != "array":
        raise call.mismatch(f"{call.name}(array(E), …)")
    return call.args[index]


def subscript(base: Expr, index: Expr, position: Position | None) -> Expr:
    """``base[index]``: an error outside of an array's bounds or for a missing key."""
    if base.type.base == "array" and types.is_integer(index.type):
        element = base.type.args[0]
        wide = casts.coerce(index, BIGINT)
        return build(
            "CASE WHEN {1} < 1 THEN CASE WHEN t_fail(CASE WHEN {1} = 0 "
            "THEN 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' "
            "ELSE 'INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' "
            "|| CAST({1} AS VARCHAR) END) THEN NULL END "
            "WHEN {1} > len({0}) THEN CASE WHEN t_fail('INVALID_FUNCTION_ARGUMENT: Array subscript "
            "must be less than or equal to array length: ' || CAST({1} AS VARCHAR) || ' > ' "
            "|| CAST(len({0}) AS VARCHAR)) THEN NULL END "
            "ELSE list_extract({0}, {1}) END",
            element,
            base,
            wide,
        )
    if base.type.base == "map" and can_coerce(index.type, base.type.args[0]):
        key = casts.coerce(index, base.type.args[0])
        return guarded(
            "{0} IS NOT NULL AND {1} IS NOT NULL AND NOT map_contains({0}, {1})",
            "'INVALID_FUNCTION_ARGUMENT: Key not present in map'",
            "({0}[{1}])",
            base.type.args[1],
            base,
            key,
        )
    if base.type.base == "row":
        raise not_supported("a subscript of a row", position)
    raise syntax_error(f"Cannot use {index.type} for subscript of {base.type}", position)


@handles("element_at")
def _element_at(call: Call) -> Expr:
    call.count(2)
    base = call.args[0]
    if base.type.base == "map":
        return build("({}[{}])", base.type.args[1], base, call.arg(1, base.type.args[0]))
    element = _array_arg(call).type.args[0]
    return guarded(
        "{1} = 0",
        "'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1'",
        "list_extract({0}, {1})",
        element,
        base,
        call.arg(1, BIGINT),
    )


@handles("cardinality")
def _cardinality(call: Call) -> Expr:
    call.count(1)
    if call.args[0].type.base == "map":
        return build("CAST(cardinality({}) AS BIGINT)", BIGINT, call.args[0])
    return build("len({})", BIGINT, _array_arg(call))


@handles("contains")
def _contains(call: Call) -> Expr:
    call.count(2)
    base = _array_arg(call)
    wanted = call.arg(1, base.type.args[0])
    _plain_element(base, call)
    return build(
        "CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN list_contains({0}, {1}) THEN TRUE "
        "WHEN list_count({0}) < len({0}) THEN NULL ELSE FALSE END",
        BOOLEAN,
        base,
        wanted,
    )


def _plain_element(base: Expr, call: Call) -> Type:
    """The element type, if comparing two elements needs no care."""
    element = base.type.args[0]
    if element.args or element in types.FLOATS or element.base == "json":
        raise not_supported(f"{call.name}({base.type})", call.position)
    return element


@handles("array_join")
def _array_join(call: Call) -> Expr:
    call.count(2, 3)
    base = _array_arg(call)
    element = Expr(replace(string(""), parts=("joined",)), _plain_element(base, call))
    shown = element if element.type == VARCHAR else casts.cast(element, VARCHAR)
    texts = build("list_transform({}, lambda joined: {})", array(VARCHAR), base, shown)
    separator = call.arg(1, VARCHAR)
    if len(call.args) == 3:
        filled = build(
            "list_transform({}, lambda joined: coalesce(joined, {}))",
            array(VARCHAR),
            texts,
            call.arg(2, VARCHAR),
        )
        return build("array_to_string({}, {})", VARCHAR, filled, separator)
    present = build("list_filter({}, lambda joined: joined IS NOT NULL)", texts.type, texts)
    return build("array_to_string({}, {})", VARCHAR, present, separator)


@handles("array_sort")
def _array_sort(call: Call) -> Expr:
    if len(call.nodes) != 1:
        raise not_supported("array_sort with a comparator", call.position)
    base = _array_arg(call)
    _plain_element(base, call)
    return build("list_sort({}, 'ASC', 'NULLS LAST')", base.type, base)


@handles("array_distinct")
def _array_distinct(call: Call) -> Expr:
    call.count(1)
    base = _array_arg(call)
    _plain_element(base, call)
    return build(
        "list_filter({0}, lambda kept, place: list_position({0}, kept) = place)", base.type, base
    )


@handles("array_max", "array_min")
def _array_extreme(call: Call) -> Expr:
    call.count(1)
    base = _array_arg(call)
    element = _plain_element(base, call)
    name = "list_max" if call.name == "array_max" else "list_min"
    return build(
        f"CASE WHEN list_count({{0}}) < len({{0}}) THEN NULL ELSE {name}({{0}}) END", element, base
    )


@handles("array_position")
def _array_position(call: Call) -> Expr:
    call.count(2)
    base = _array_arg(call)
    _plain_element(base, call)
    wanted = call.arg(1, base.type.args[0])
    return build(
        "CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL "
        "ELSE CAST(coalesce(list_position({0}, {1}), 0) AS BIGINT) END",
        BIGINT,
        base,
        wanted,
    )


@handles("slice")
def _slice(call: Call) -> Expr:
    call.count(3)
    base, start, length = _array_arg(call), call.arg(1, BIGINT), call.arg(2, BIGINT)
    first = "(CASE WHEN {1} < 0 THEN len({0}) + {1} + 1 ELSE {1} END)"
    sliced = (
        "CASE WHEN {0} IS NULL OR {1} IS NULL OR {2} IS NULL THEN NULL "
        f"WHEN {first} < 1 OR {{2}} = 0 THEN list_slice({{0}}, 1, 0) "
        f"ELSE list_slice({{0}}, {first}, {first} + {{2}} - 1) END"
    )
    return guarded(
        "{1} = 0 OR {2} < 0",
        "'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1 and a length is not negative'",
        sliced,
        base.type,
        base,
        start,
        length,
    )


@handles("flatten")
def _flatten(call: Call) -> Expr:
    call.count(1)
    base = _array_arg(call)
    if base.type.args[0].base != "array":
        raise call.mismatch("flatten(array(array(E)))")
    return build(
        "flatten(list_filter({}, lambda inner_list: inner_list IS NOT NULL))",
        base.type.args[0],
        base,
    )


_SEQUENCE_LIMIT = 10_000


@handles("sequence")
def _sequence(call: Call) -> Expr:
    call.count(2, 3)
    if all(types.is_integer(arg.type) for arg in call.args):
        start, stop = call.arg(0, BIGINT), call.arg(1, BIGINT)
        one = "CASE WHEN {0} <= {1} THEN 1 ELSE -1 END"
        step = call.arg(2, BIGINT) if len(call.args) == 3 else build(one, BIGINT, start, stop)
        listed = guarded(
            f"abs({{1}} - {{0}}) // abs({{2}}) >= {_SEQUENCE_LIMIT}",
            f"'INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than "
            f"{_SEQUENCE_LIMIT} entries'",
            "generate_series({0}, {1}, {2})",
            array(BIGINT),
            start,
            stop,
            step,
        )
        return guarded(
            "{2} = 0 OR ({2} > 0 AND {0} > {1}) OR ({2} < 0 AND {0} < {1})",
            "'INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to "
            "start value if step is greater than zero otherwise stop should be less than or equal "
            "to start'",
            "{3}",
            array(BIGINT),
            start,
            stop,
            step,
            listed,
        )
    return _date_sequence(call)


def _date_sequence(call: Call) -> Expr:
    """Of dates, one day apart."""
    if len(call.args) != 2 or any(arg.type != DATE for arg in call.args):
        raise not_supported("sequence() of anything but integers or days", call.position)
    start, stop = call.args
    days = (
        "list_transform(generate_series(CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP), "
        "to_days(CASE WHEN {0} <= {1} THEN 1 ELSE -1 END)), lambda day_: CAST(day_ AS DATE))"
    )
    return guarded(
        f"abs(date_diff('day', {{0}}, {{1}})) >= {_SEQUENCE_LIMIT}",
        f"'INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than "
        f"{_SEQUENCE_LIMIT} entries'",
        days,
        array(DATE),
        start,
        stop,
    )


@handles("map")
def _map(call: Call) -> Expr:
    call.count(0, 2)
    if not call.args:
        raise not_supported("an empty map", call.position)
    keys, values = _array_arg(call, 0), _array_arg(call, 1)
    kind = types.map_of(keys.type.args[0], values.type.args[0])
    # DuckDB refuses NULL and duplicate keys and lists of different lengths by itself.
    return replace(build("map({}, {})", kind, keys, values), fallible=True)


@handles("map_keys", "map_values")
def _map_side(call: Call) -> Expr:
    call.count(1)
    if call.args[0].type.base != "map":
        raise call.mismatch(f"{call.name}(map(K, V))")
    side = call.args[0].type.args[0 if call.name == "map_keys" else 1]
    return build(f"{call.name}({{}})", array(side), call.args[0])


@handles("row")
def _row(call: Call) -> Expr:
    if not call.args:
        raise call.mismatch("row(E, …)")
    kind = types.row([(None, arg.type) for arg in call.args])
    packed = ", ".join(f"field{index} := {{}}" for index in range(len(call.args)))
    return build(f"struct_pack({packed})", kind, *call.args)


def _lambda_call(call: Call) -> tuple[Expr, str, Expr]:
    if len(call.nodes) != 2:
        raise call.mismatch(f"{call.name}(array(T), function(T, U))")
    base = call.translator.translate(call.nodes[0])
    if base.type.base != "array":
        raise replace(call, args=(base,)).mismatch(f"{call.name}(array(T), function(T, U))")
    names, body = call.translator.lambda_body(call.nodes[1], base.type.args[0])
    return base, names[0], body


@handles("transform")
def _transform(call: Call) -> Expr:
    base, name, body = _lambda_call(call)
    return build(f"list_transform({{}}, lambda {name}: {{}})", array(body.type), base, body)


@handles("filter")
def _filter(call: Call) -> Expr:
    base, name, body = _lambda_call(call)
    if body.type != BOOLEAN:
        raise replace(call, args=(base, body)).mismatch("filter(array(T), function(T, boolean))")
    return build(f"list_filter({{}}, lambda {name}: coalesce({{}}, FALSE))", base.type, base, body)


@handles("any_match", "all_match", "none_match")
def _match(call: Call) -> Expr:
    base, name, body = _lambda_call(call)
    if body.type != BOOLEAN:
        raise replace(call, args=(base, body)).mismatch(
            f"{call.name}(array(T), function(T, boolean))"
        )
    results = f"list_transform({{0}}, lambda {name}: {{1}})"
    decisive, otherwise = {
        "any_match": ("TRUE", "FALSE"),
        "all_match": ("FALSE", "TRUE"),
        "none_match": ("TRUE", "FALSE"),
    }[call.name]
    verdict = (
        f"CASE WHEN {{0}} IS NULL THEN NULL WHEN list_contains({results}, {decisive}) "
        f"THEN {decisive} WHEN list_count({results}) < len({{0}}) THEN NULL ELSE {otherwise} END"
    )
    if call.name == "none_match":
        verdict = f"(NOT {verdict})"
    return build(verdict, BOOLEAN, base, body)


LAMBDA_FUNCTIONS = frozenset({"transform", "filter", "any_match", "all_match", "none_match"})
