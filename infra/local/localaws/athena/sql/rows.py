"""Relations that are made of expressions: VALUES and UNNEST."""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported, type_mismatch
from localaws.athena.sql import types
from localaws.athena.sql.expressions import Expressions
from localaws.athena.sql.functions import as_type, call, unified
from localaws.athena.sql.scope import Value
from localaws.athena.sql.types import Type


def values(tx: Expressions, node: exp.Values) -> tuple[exp.Expr, list[tuple[str, Type]]]:
    """VALUES as a subquery, and its columns."""
    names = [one.name for one in node.args["alias"].columns]
    rows = [
        [tx.value(one) for one in (row.expressions if isinstance(row, exp.Tuple) else [row])]
        for row in node.expressions
    ]
    if {len(row) for row in rows} != {len(names)}:
        raise type_mismatch("Values rows have mismatched sizes")
    columns = [unified(list(one), "Values of one column") for one in zip(*rows, strict=True)]
    selects = []
    for row in zip(*columns, strict=True):
        nodes = (as_type(one.node, one.type) for one in row)
        named = zip(nodes, names, strict=True)
        selects.append(exp.select(*(exp.alias_(one, name, quoted=True) for one, name in named)))
    made = exp.union(*selects, distinct=False) if len(selects) > 1 else selects[0]
    kinds = [column[0].type for column in columns]
    return exp.Subquery(this=made), list(zip(names, kinds, strict=True))


def unnest(tx: Expressions, node: exp.Unnest, symbol: str) -> tuple[exp.Expr, dict[str, Value]]:
    """A subquery beside what it unnests; shorter lists are filled up with NULLs."""
    items: list[exp.Expr] = []
    found: list[Value] = []
    lengths: list[exp.Expr] = []

    def add(unnested: exp.Expr, kind: Type) -> Value:
        name = tx.query.shared.unique("c")
        items.append(exp.alias_(call("unnest", unnested), name, quoted=True))
        return Value(exp.column(name, symbol, quoted=True), kind)

    for item in node.expressions:
        value = tx.value(item)
        if value.type.base == "map":
            raise not_supported("UNNEST of a map")
        if value.type.base != "array":
            raise type_mismatch(f"Cannot unnest type: {value.type}")
        found += _members(add(value.node, value.type.args[0]))
        lengths.append(call("len", value.node.copy()))
    names = [one.name for one in node.args["alias"].columns]
    offset = node.args.get("offset")
    if offset:
        longest = call("coalesce", call("greatest", *lengths), exp.Literal.number(0))
        end = exp.Add(this=longest, expression=exp.Literal.number(1))
        numbers = call("range", exp.Literal.number(1), as_type(end, types.BIGINT))
        found.append(add(numbers, types.BIGINT))
        names += [offset.name] if isinstance(offset, exp.Identifier) else []
    if len(names) != len(found):
        message = f"Column alias list has {len(names)} entries but relation has {len(found)}"
        raise QueryError("MISMATCHED_COLUMN_ALIASES", f"{message} columns")
    return exp.Lateral(this=exp.Subquery(this=exp.select(*items))), dict(
        zip(names, found, strict=True)
    )


def _members(element: Value) -> list[Value]:
    """An array of rows becomes columns."""
    if element.type.base != "row":
        return [element]
    return [
        Value(call("struct_extract", element.node.copy(), name), kind)
        for name, kind in zip(element.type.names, element.type.args, strict=True)
    ]
