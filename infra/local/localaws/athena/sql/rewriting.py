"""From Trino's tree to DuckDB's: what DuckDB would compute otherwise is written as it must be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported, type_mismatch
from localaws.athena.sql.checking import family, shown_type
from localaws.athena.sql.functions import FUNCTIONS, MACROS, TRANSLATED
from localaws.athena.sql.parsing import position_of, shown


def rewrite(statement: str, tree: exp.Expr, now: datetime) -> exp.Expr:
    """A typed query as DuckDB takes it; raises QueryError."""
    for node in reversed(list(tree.walk())):
        try:
            made = _rewritten(node, now)
        except QueryError as error:
            raise error.at(position_of(statement, node)) from error
        if made is not node:
            made.type = node.type
            made.meta.update(node.meta)
            node.replace(made)
    return tree


def call(name: str, *args: exp.Expr | str) -> exp.Expr:
    """A call of a DuckDB function."""
    nodes = [exp.Literal.string(one) if isinstance(one, str) else one for one in args]
    return exp.Anonymous(this=name, expressions=nodes)


def _cast(node: exp.Expr, kind: str) -> exp.Expr:
    return exp.Cast(this=node, to=exp.DataType.build(kind, dialect="duckdb"))


def _rewritten(node: exp.Expr, now: datetime) -> exp.Expr:
    if isinstance(node, exp.Anonymous):
        return _function(node, now)
    handler = _HANDLERS.get(type(node))
    if handler is not None:
        return handler(node)
    if isinstance(node, (exp.CurrentTimestamp, exp.CurrentDate)):
        return _now(now, "DATE" if isinstance(node, exp.CurrentDate) else "TIMESTAMPTZ")
    return node


def _now(now: datetime, kind: str) -> exp.Expr:
    stamp = str(now.replace(microsecond=now.microsecond // 1000 * 1000))
    return _cast(_cast(exp.Literal.string(stamp), "TIMESTAMP"), kind)


def _function(node: exp.Expr, now: datetime) -> exp.Expr:
    name, args = node.name.lower(), list(node.expressions)
    if name == "now" and not args:
        return _now(now, "TIMESTAMPTZ")
    if name == "date" and len(args) == 1:
        return _converted(args[0], exp.cast(args[0].copy(), "date"))
    if name in TRANSLATED and len(args) > 1:
        args[1] = exp.Literal.string(TRANSLATED[name](_literal(name, args[1])))
    if name == "count_if" and args:
        args = [call("nullif", args[0], exp.false())]
    duckdb = FUNCTIONS[name][1]
    if name in ("date_add", "date_diff", "date_trunc") and args:
        unit = _literal(name, args.pop(0)).lower()
        duckdb = f"{duckdb}_{unit}"
        if duckdb not in MACROS:
            message = f"'{unit}' is not a valid TIMESTAMP field"
            raise QueryError("INVALID_FUNCTION_ARGUMENT", message)
        made = call(duckdb, *args)
        is_date = name != "date_diff" and args and args[-1].is_type(exp.DType.DATE)
        return _cast(made, "DATE") if is_date else made
    if duckdb in ("||", "t_greatest", "t_least") and args:
        made = args[0]
        for other in args[1:]:
            made = _paired(duckdb, made, other)
        return made
    if args and (name, family(args[0])) in _OF_FAMILY:
        duckdb = _OF_FAMILY[name, family(args[0])]
    return call(duckdb, *args)


_OF_FAMILY: dict[tuple[str, str | None], str] = {
    ("element_at", "MAP"): "t_member",
    ("length", "VARBINARY"): "octet_length",
}


def _paired(duckdb: str, one: exp.Expr, other: exp.Expr) -> exp.Expr:
    if duckdb == "||":
        return exp.Paren(this=exp.DPipe(this=one, expression=other))
    return call(duckdb, one, other)


def _literal(name: str, node: exp.Expr) -> str:
    if not node.is_string:
        raise not_supported(f"{name} whose argument is not a literal")
    return str(node.name)


# Casts that DuckDB does otherwise: by the target, the macro for each kind of source.
_CASTS = {
    exp.DType.BIGINT: {"text": "t_bigint", "JSON": "t_json_bigint"},
    exp.DType.INT: {"text": "t_integer"},
    exp.DType.DOUBLE: {"text": "t_double"},
    exp.DType.BOOLEAN: {"text": "t_boolean", "JSON": "t_json_boolean"},
    exp.DType.DATE: {"text": "t_date"},
    exp.DType.TIMESTAMP: {"text": "t_timestamp"},
    exp.DType.TIMESTAMPTZ: {"text": "t_zoned"},
    exp.DType.VARCHAR: {"JSON": "t_json_text"},
    exp.DType.ARRAY: {"JSON": "t_json_texts"},
    exp.DType.JSON: {"text": "to_json", "number": "t_text", "BOOLEAN": "t_text"},
}


def _converted(value: exp.Expr, node: exp.Expr) -> exp.Expr:
    """`node` is a cast of `value`."""
    target, source = node.args["to"], family(value)
    macro = _CASTS.get(target.this, {}).get(source or "")
    refused = source == "JSON" or (target.this == exp.DType.JSON and source is not None)
    if target.this == exp.DType.ARRAY and source == "JSON":
        refused = not target.expressions[0].is_type(exp.DType.VARCHAR)
        macro = None if refused else macro
    floating = value.is_type(*exp.DataType.FLOAT_TYPES)
    to_text = target.this == exp.DType.VARCHAR
    if (macro is None and refused) or (floating and (to_text or target.this == exp.DType.DECIMAL)):
        raise not_supported(f"a cast from {shown_type(value)} to {target.sql('trino').lower()}")
    if macro is not None:
        return call(macro, value)
    if to_text and value.is_type(exp.DType.TIMESTAMP):
        return call("t_timestamp_text", value)
    if to_text and value.is_type(exp.DType.TIMESTAMPTZ):
        return call("t_zoned_text", value)
    # DuckDB rounds halves to even when it casts, Trino away from zero.
    if target.this in exp.DataType.INTEGER_TYPES and value.is_type(*exp.DataType.REAL_TYPES):
        value = call("round", value)
    return exp.Cast(this=value, to=target)


def _divided(node: exp.Expr) -> exp.Expr:
    if None in (family(node.this), family(node.expression)):
        raise not_supported(f"'{shown(node)}' of values whose types are not known (cast them)")
    sides = (node.this, node.expression)
    if all(one.is_type(*exp.DataType.INTEGER_TYPES) for one in sides):
        return exp.Paren(this=exp.IntDiv(this=node.this, expression=node.expression))
    return exp.Div(this=node.this, expression=node.expression, typed=False, safe=False)


def _subscript(node: exp.Expr) -> exp.Expr:
    if len(node.expressions) != 1:
        raise not_supported(f"'{shown(node)}'")
    macro = "t_key" if family(node.this) == "MAP" else "t_subscript"
    return call(macro, node.this, node.expressions[0])


_TRIMS = {"LEADING": "t_ltrim", "TRAILING": "t_rtrim"}


def _written_otherwise(node: exp.Expr) -> exp.Expr:
    """Syntax that is another way to write a call."""
    name, keys = "strpos", ["this", "substr"]
    if isinstance(node, exp.Extract):
        name, keys = FUNCTIONS.get(node.name.lower(), ("", "extract"))[1], ["expression"]
    elif isinstance(node, exp.Substring):
        name, keys = "t_substr", ["this", "start", "length"]
    elif isinstance(node, exp.Trim):
        name, keys = _TRIMS.get(str(node.args.get("position") or ""), "t_trim"), ["this"]
    return call(name, *(node.args[key] for key in keys if node.args.get(key) is not None))


def _unnest(node: exp.Expr) -> exp.Expr:
    """A subquery beside what it unnests; an array of rows becomes columns.

    DuckDB fills shorter lists up with NULLs, as Trino does.
    """
    items: list[exp.Expr] = []
    found: list[exp.Expr] = []
    for place, item in enumerate(node.expressions):
        if family(item) not in (None, "ARRAY"):
            if family(item) == "MAP":
                raise not_supported("UNNEST of a map")
            raise type_mismatch(f"Cannot unnest type: {shown_type(item)}")
        items.append(exp.alias_(call("unnest", item), f"u{place}", quoted=True))
        column = exp.column(f"u{place}", quoted=True)
        inner = item.type.expressions[0] if item.type and item.type.expressions else None
        if inner is not None and inner.this == exp.DType.STRUCT:
            found += [call("struct_extract", column, one.name) for one in inner.expressions]
        else:
            found.append(column)
    alias = node.args["alias"]
    names = [one.name for one in alias.columns]
    offset = node.args.get("offset")
    if offset:
        lengths = [call("len", one.copy()) for one in node.expressions]
        longest = call("coalesce", call("greatest", *lengths), exp.Literal.number(0))
        end = exp.Add(this=longest, expression=exp.Literal.number(1))
        numbers = call("unnest", call("range", exp.Literal.number(1), _cast(end, "BIGINT")))
        items.append(exp.alias_(numbers, "n", quoted=True))
        found.append(exp.column("n", quoted=True))
        names += [offset.name] if isinstance(offset, exp.Identifier) else []
    if len(names) != len(found):
        message = f"Column alias list has {len(names)} entries but relation has {len(found)}"
        raise QueryError("MISMATCHED_COLUMN_ALIASES", f"{message} columns")
    columns = [exp.alias_(one, name, quoted=True) for one, name in zip(found, names, strict=True)]
    inside = exp.select(*items).subquery("u")
    return exp.Lateral(
        this=exp.Subquery(this=exp.select(*columns).from_(inside)),
        alias=exp.TableAlias(this=alias.this),
    )


_HANDLERS: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Cast: lambda node: _converted(node.this, node),
    exp.Div: _divided,
    exp.Mod: lambda node: call("t_modulus", node.this, node.expression),
    exp.Dot: lambda node: call("struct_extract", node.this, node.expression.name),
    exp.Bracket: _subscript,
    exp.Array: lambda node: call("list_value", *node.expressions),
    exp.HexString: lambda node: call("unhex", node.name),
    **dict.fromkeys((exp.Extract, exp.StrPosition, exp.Substring, exp.Trim), _written_otherwise),
    exp.Unnest: _unnest,
}
