"""Conversions: the implicit ones Trino makes, and CAST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from localaws.athena import json_cast, types
from localaws.athena.errors import QueryError, not_supported, syntax_error
from localaws.athena.expression import Expr, build, null, retyped
from localaws.athena.sql import string
from localaws.athena.types import Type, duckdb_name, field_names, quoted


def coerce(expr: Expr, target: Type) -> Expr:
    """`expr` widened to `target`, which `types.can_coerce` or `common_type` allowed."""
    source = expr.type
    if source == target:
        return expr
    if source == types.UNKNOWN:
        return null(target)
    if duckdb_name(source) == duckdb_name(target) and not _needs_rescale(source, target):
        return replace(retyped(expr, target), literal=expr.literal, local=expr.local)
    if _needs_rescale(source, target):
        return cast(expr, target)
    if target.base == "row" or any(arg.base == "row" for arg in target.args):
        raise not_supported(f"converting {source} to {target}")
    return replace(
        build(f"CAST({{}} AS {duckdb_name(target)})", target, expr), literal=expr.literal
    )


def _needs_rescale(source: Type, target: Type) -> bool:
    return types.is_timestamp(target) and bool(source.numbers) and source.numbers > target.numbers


def cast(expr: Expr, target: Type) -> Expr:
    """``CAST(expr AS target)``; raises QueryError when Trino has no such cast, or we do not."""
    source = expr.type
    if source == target:
        return retyped(expr, target)
    if source == types.UNKNOWN:
        return null(target)
    if source.base == "json":
        return _from_json(expr, target)
    caster = _CASTS.get((_family(source), _family(target)))
    if caster is None:
        if "json" in (source.base, target.base):
            raise not_supported(f"a cast from {source} to {target}")
        raise syntax_error(f"Cannot cast {source} to {target}")
    return caster(expr, target)


def _family(kind: Type) -> str:
    if types.is_integer(kind):
        return "integer"
    return "float" if kind in types.FLOATS else kind.base


def _plain(expr: Expr, target: Type) -> Expr:
    return build(f"CAST({{}} AS {duckdb_name(target)})", target, expr)


def _to_boolean(expr: Expr, target: Type) -> Expr:
    return build("({} <> 0)", target, expr)


def _rounded(expr: Expr, target: Type) -> Expr:
    # DuckDB rounds halves to even when it casts, Trino away from zero.
    return build(f"CAST(round({{}}) AS {duckdb_name(target)})", target, expr)


def _float_to_decimal(expr: Expr, target: Type) -> Expr:
    if expr.type == types.REAL:
        raise not_supported("a cast from real to decimal")
    return build(
        f"CAST(t_double_decimal({{}}, {target.precision}, {target.scale}) "
        f"AS {duckdb_name(target)})",
        target,
        expr,
    )


def _float_to_varchar(expr: Expr, target: Type) -> Expr:
    # Releases of Trino write 1.0 and 1.0E0; which one Athena runs is not documented.
    raise not_supported(f"a cast from {expr.type} to {target} (cast to a decimal or bigint first)")


def _decimal_to_integer(expr: Expr, target: Type) -> Expr:
    return build(f"CAST(round({{}}, 0) AS {duckdb_name(target)})", target, expr)


def _varchar_to_integer(expr: Expr, target: Type) -> Expr:
    return build(f"CAST(t_integer({{}}, '{target.base}') AS {duckdb_name(target)})", target, expr)


def _varchar_to_float(expr: Expr, target: Type) -> Expr:
    return build(f"CAST(t_double({{}}) AS {duckdb_name(target)})", target, expr)


def _varchar_to_decimal(expr: Expr, target: Type) -> Expr:
    return build(
        f"CAST(t_decimal({{}}, {target.precision}, {target.scale}) AS {duckdb_name(target)})",
        target,
        expr,
    )


def _varchar_to_boolean(expr: Expr, target: Type) -> Expr:
    return build("t_boolean({})", target, expr)


def _varchar_to_date(expr: Expr, target: Type) -> Expr:
    return build("t_date({})", target, expr)


def _varchar_to_timestamp(expr: Expr, target: Type) -> Expr:
    return _at_precision(build("t_timestamp({})", types.timestamp(6), expr), target)


def _varchar_to_zoned(expr: Expr, target: Type) -> Expr:
    parsed = build("t_zoned({})", types.timestamp_tz(6, utc=False), expr)
    return _at_precision(parsed, types.timestamp_tz(target.precision, utc=False))


def _varchar_to_binary(expr: Expr, target: Type) -> Expr:
    return build("t_to_utf8({})", target, expr)


def _varchar_to_json(expr: Expr, target: Type) -> Expr:
    return build("t_json_string({})", target, expr)


def _number_to_json(expr: Expr, target: Type) -> Expr:
    return build("CAST({} AS VARCHAR)", target, expr)


def _date_to_varchar(expr: Expr, target: Type) -> Expr:
    return build("CAST({} AS VARCHAR)", target, expr)


def _timestamp_to_varchar(expr: Expr, target: Type) -> Expr:
    return build(f"t_timestamp_text({{}}, {expr.type.precision})", target, expr)


def _zoned_to_varchar(expr: Expr, target: Type) -> Expr:
    in_utc(expr, "a cast to varchar")
    return build(f"(t_timestamp_text({{}}, {expr.type.precision}) || ' UTC')", target, expr)


def _at_precision(expr: Expr, target: Type) -> Expr:
    """The same time with fewer (rounded half up) or more digits."""
    if expr.type.precision <= target.precision:
        return replace(retyped(expr, target), local=expr.local)
    unit = 10 ** (6 - target.precision)
    # Whole units of microseconds since the epoch, floored after adding half a unit.
    template = (
        f"make_timestamp(CAST(floor((epoch_us({{}}) + {unit // 2}) / {unit}) AS BIGINT) * {unit})"
    )
    rounded = build(template, target, expr)
    if expr.local is None:
        return rounded
    local = build(template, target, replace(expr, sql=expr.local))
    return replace(rounded, local=local.sql)


def _timestamp_to_zoned(expr: Expr, target: Type) -> Expr:
    # The session's zone is UTC, as Athena's is.
    return _at_precision(retyped(expr, types.timestamp_tz(expr.type.precision)), target)


def _zoned_to_timestamp(expr: Expr, target: Type) -> Expr:
    local = local_time(expr, f"a cast to {target}")
    return _at_precision(retyped(local, types.timestamp(expr.type.precision)), target)


def _zoned_to_date(expr: Expr, target: Type) -> Expr:
    return build("CAST({} AS DATE)", target, local_time(expr, "a cast to date"))


def local_time(expr: Expr, what: str) -> Expr:
    """The time a timestamp with time zone shows; raises QueryError when that is not known here."""
    if expr.type.zone == "UTC":
        return expr
    if expr.local is not None:
        return replace(expr, sql=expr.local, local=None, type=types.timestamp(expr.type.precision))
    raise QueryError(
        "NOT_SUPPORTED",
        f"{what} of a timestamp whose time zone is only known per row is not supported by the "
        "local Athena: add AT TIME ZONE 'UTC' first",
    )


def in_utc(expr: Expr, what: str) -> Expr:
    """`expr`, if its values are known to be in UTC; raises QueryError otherwise."""
    if expr.type.zone != "UTC":
        raise QueryError(
            "NOT_SUPPORTED",
            f"{what} of a timestamp that may not be in UTC is not supported by the local Athena: "
            "add AT TIME ZONE 'UTC' first",
        )
    return expr


def _array(expr: Expr, target: Type) -> Expr:
    element = Expr(string(""), expr.type.args[0])
    inner = cast(replace(element, sql=_ELEMENT), target.args[0])
    return build("list_transform({}, lambda castee: {})", target, expr, inner)


_ELEMENT = replace(string(""), parts=("castee",))


def _row(expr: Expr, target: Type) -> Expr:
    if len(expr.type.args) != len(target.args):
        raise syntax_error(f"Cannot cast {expr.type} to {target}")
    fields = [cast(field_of(expr, index), kind).sql for index, kind in enumerate(target.args)]
    packed = ", ".join(f"{quoted(name)} := {{}}" for name in field_names(target))
    template = f"CASE WHEN {{}} IS NULL THEN NULL ELSE struct_pack({packed}) END"
    pieces = [Expr(sql, types.UNKNOWN) for sql in fields]
    return build(template, target, expr, *pieces)


def field_of(expr: Expr, index: int) -> Expr:
    """A field of a row."""
    name = field_names(expr.type)[index]
    return build(
        "struct_extract({}, {})", expr.type.args[index], expr, Expr(string(name), expr.type)
    )


def _from_json(expr: Expr, target: Type) -> Expr:
    if not json_cast.supported(target):
        raise not_supported(f"a cast from json to {target}")
    type_name = Expr(string(types.trino_name(target)), types.VARCHAR)
    fitted = build("t_json_cast({}, {})", types.JSON, expr, type_name)
    if target == types.VARCHAR:
        return build("json_extract_string({}, '$')", target, fitted)
    return build(f"CAST(CAST({{}} AS JSON) AS {duckdb_name(target)})", target, fitted)


_CASTS: dict[tuple[str, str], Callable[[Expr, Type], Expr]] = {
    ("boolean", "integer"): _plain,
    ("boolean", "float"): _plain,
    ("boolean", "decimal"): _plain,
    ("boolean", "varchar"): _plain,
    ("integer", "boolean"): _to_boolean,
    ("integer", "integer"): _plain,
    ("integer", "float"): _plain,
    ("integer", "decimal"): _plain,
    ("integer", "varchar"): _plain,
    ("integer", "json"): _number_to_json,
    ("boolean", "json"): _number_to_json,
    ("float", "boolean"): _to_boolean,
    ("float", "integer"): _rounded,
    ("float", "float"): _plain,
    ("float", "decimal"): _float_to_decimal,
    ("float", "varchar"): _float_to_varchar,
    ("decimal", "boolean"): _to_boolean,
    ("decimal", "integer"): _decimal_to_integer,
    ("decimal", "float"): _plain,
    ("decimal", "decimal"): _plain,
    ("decimal", "varchar"): _plain,
    ("varchar", "boolean"): _varchar_to_boolean,
    ("varchar", "integer"): _varchar_to_integer,
    ("varchar", "float"): _varchar_to_float,
    ("varchar", "decimal"): _varchar_to_decimal,
    ("varchar", "date"): _varchar_to_date,
    ("varchar", "timestamp"): _varchar_to_timestamp,
    ("varchar", "timestamp with time zone"): _varchar_to_zoned,
    ("varchar", "varbinary"): _varchar_to_binary,
    ("varchar", "json"): _varchar_to_json,
    ("date", "varchar"): _date_to_varchar,
    ("date", "timestamp"): _plain,
    ("date", "timestamp with time zone"): _plain,
    ("timestamp", "varchar"): _timestamp_to_varchar,
    ("timestamp", "date"): _plain,
    ("timestamp", "timestamp"): _at_precision,
    ("timestamp", "timestamp with time zone"): _timestamp_to_zoned,
    ("timestamp with time zone", "varchar"): _zoned_to_varchar,
    ("timestamp with time zone", "date"): _zoned_to_date,
    ("timestamp with time zone", "timestamp"): _zoned_to_timestamp,
    ("timestamp with time zone", "timestamp with time zone"): _at_precision,
    ("array", "array"): _array,
    ("row", "row"): _row,
}
