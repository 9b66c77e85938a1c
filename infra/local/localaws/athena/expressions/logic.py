"""Conditions: AND, OR, comparisons, IN, EXISTS, LIKE, CASE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from localaws.athena import casts, functions, types
from localaws.athena.errors import QueryError, not_supported, syntax_error
from localaws.athena.expression import Expr, build, null
from localaws.athena.expressions.translator import Expressions, flattened, shown, translates
from localaws.athena.operators import comparison, distinct_from
from localaws.athena.sql import compose
from localaws.athena.types import BOOLEAN, VARCHAR

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


@translates(exp.And)
def _and(tx: Expressions, node: exp.Expr) -> Expr:
    return _logical(tx, node, exp.And)


@translates(exp.Or)
def _or(tx: Expressions, node: exp.Expr) -> Expr:
    return _logical(tx, node, exp.Or)


def _logical(tx: Expressions, node: exp.Expr, kind: type[exp.Expr]) -> Expr:
    """A chain of AND or OR; DuckDB checks terms that may fail in the order they are written."""
    word = "AND" if kind is exp.And else "OR"
    terms = [tx.boolean(term, "Logical expression term") for term in flattened(node, kind)]
    return build("(" + f" {word} ".join("{}" for _ in terms) + ")", BOOLEAN, *terms)


@translates(exp.Not)
def _not(tx: Expressions, node: exp.Expr) -> Expr:
    return build("(NOT {})", BOOLEAN, tx.boolean(node.this, "Value of logical NOT expression"))


@translates(exp.Is)
def _is(tx: Expressions, node: exp.Expr) -> Expr:
    value = tx.translate(node.this)
    right = node.expression
    if isinstance(right, exp.Null):
        return build("({} IS NULL)", BOOLEAN, value)
    raise not_supported(f"'{shown(node)}'", tx.at(node))


@translates(*_COMPARISONS)
def _comparison(tx: Expressions, node: exp.Expr) -> Expr:
    for side in (node.this, node.expression):
        if type(side) in _COMPARISONS:
            raise syntax_error(
                f"mismatched input '{_COMPARISONS[type(node)]}'", tx.at(node.expression)
            )
    return comparison(
        _COMPARISONS[type(node)],
        tx.translate(node.this),
        tx.translate(node.expression),
        tx.at(node),
    )


@translates(exp.NullSafeNEQ, exp.NullSafeEQ)
def _distinct(tx: Expressions, node: exp.Expr) -> Expr:
    return distinct_from(
        tx.translate(node.this),
        tx.translate(node.expression),
        tx.at(node),
        distinct=isinstance(node, exp.NullSafeNEQ),
    )


@translates(exp.Between)
def _between(tx: Expressions, node: exp.Expr) -> Expr:
    if node.args.get("symmetric"):
        raise not_supported("BETWEEN SYMMETRIC", tx.at(node))
    value = tx.translate(node.this)
    low = comparison(">=", value, tx.translate(node.args["low"]), tx.at(node))
    high = comparison("<=", value, tx.translate(node.args["high"]), tx.at(node))
    return build("({} AND {})", BOOLEAN, low, high)


@translates(exp.In)
def _in(tx: Expressions, node: exp.Expr) -> Expr:
    if node.args.get("unnest") or node.args.get("field"):
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    if isinstance(node.this, exp.Tuple):
        raise not_supported("IN with several columns", tx.at(node))
    value = tx.translate(node.this)
    query = node.args.get("query")
    if query is not None:
        return _in_query(tx, value, query, node)
    items = [tx.translate(item) for item in node.expressions]
    if not items:
        raise syntax_error("mismatched input ')'", tx.at(node))
    tests = [comparison("=", value, item, tx.at(node)) for item in items]
    return build("(" + " OR ".join("{}" for _ in tests) + ")", BOOLEAN, *tests)


def _in_query(tx: Expressions, value: Expr, query: exp.Expr, node: exp.Expr) -> Expr:
    sql, columns = tx.query.subquery(query, tx.scope)
    if len(columns) != 1:
        raise syntax_error(
            f"Multiple columns returned by subquery are not yet supported. Found {len(columns)}",
            tx.at(node),
        )
    kind = types.common_type(value.type, columns[0])
    if kind is None:
        raise syntax_error(
            f"value and result of subquery must be of the same type for IN expression: "
            f"{value.type} vs {columns[0]}",
            tx.at(node),
        )
    if kind in types.FLOATS or kind.args:
        raise not_supported(f"IN (subquery) of {kind}", tx.at(node))
    if kind != columns[0]:
        raise not_supported(
            f"IN (subquery) of {columns[0]} for a value of {value.type}", tx.at(node)
        )
    tested = build("({} IN ", BOOLEAN, casts.coerce(value, kind))
    whole = compose("{}({}))", tested.sql, sql)
    return replace(tested, sql=whole, movable=False)


@translates(exp.Exists)
def _exists(tx: Expressions, node: exp.Expr) -> Expr:
    sql, _ = tx.query.subquery(node.this, tx.scope)
    return Expr(compose("EXISTS ({})", sql), BOOLEAN, movable=False)


@translates(exp.Subquery)
def _scalar_subquery(tx: Expressions, node: exp.Expr) -> Expr:
    sql, columns = tx.query.subquery(node, tx.scope)
    if len(columns) != 1:
        raise syntax_error(
            f"Multiple columns returned by subquery are not yet supported. Found {len(columns)}",
            tx.at(node),
        )
    return Expr(compose("({})", sql), columns[0], movable=False)


@translates(exp.Like)
def _like(tx: Expressions, node: exp.Expr) -> Expr:
    return _like_with(tx, node, None)


@translates(exp.Escape)
def _escape(tx: Expressions, node: exp.Expr) -> Expr:
    if not isinstance(node.this, exp.Like):
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    return _like_with(tx, node.this, node.expression)


def _like_with(tx: Expressions, node: exp.Expr, escape: exp.Expr | None) -> Expr:
    value, pattern = tx.translate(node.this), tx.translate(node.expression)
    for part in (value, pattern):
        if part.type not in (VARCHAR, types.UNKNOWN):
            raise syntax_error(
                f"Left side of LIKE expression must evaluate to a varchar (actual: {part.type})",
                tx.at(node),
            )
    value, pattern = casts.coerce(value, VARCHAR), casts.coerce(pattern, VARCHAR)
    if escape is None:
        return build("({} LIKE {})", BOOLEAN, value, pattern)
    mark = tx.translate(escape).literal
    if not isinstance(mark, str) or len(mark) != 1 or not isinstance(pattern.literal, str):
        raise not_supported("LIKE … ESCAPE of anything but literals", tx.at(node))
    _check_like(pattern.literal, mark)
    quoted = mark.replace("'", "''")
    return build(f"({{}} LIKE {{}} ESCAPE '{quoted}')", BOOLEAN, value, pattern)


@translates(exp.Case)
def _case(tx: Expressions, node: exp.Expr) -> Expr:
    base = node.this
    conditions: list[Expr] = []
    values: list[Expr] = []
    operand = tx.translate(base) if base is not None else None
    for branch in node.args["ifs"]:
        if operand is None:
            conditions.append(tx.boolean(branch.this, "CASE WHEN clause"))
        else:
            test = tx.translate(branch.this)
            conditions.append(comparison("=", operand, test, tx.at(branch)))
        values.append(tx.translate(branch.args["true"]))
    default = node.args.get("default")
    values.append(tx.translate(default) if default is not None else null())
    return _choose(tx, conditions, values, node)


@translates(exp.If)
def _if(tx: Expressions, node: exp.Expr) -> Expr:
    condition = tx.boolean(node.this, "IF condition")
    otherwise = node.args.get("false")
    values = [
        tx.translate(node.args["true"]),
        tx.translate(otherwise) if otherwise is not None else null(),
    ]
    return _choose(tx, [condition], values, node)


def _choose(
    tx: Expressions, conditions: Sequence[Expr], values: Sequence[Expr], node: exp.Expr
) -> Expr:
    unified = functions.unified(values, "All CASE results", tx.at(node))
    template = "CASE" + " WHEN {} THEN {}" * len(conditions) + " ELSE {} END"
    pieces = [piece for pair in zip(conditions, unified[:-1], strict=True) for piece in pair]
    return build(template, unified[0].type, *pieces, unified[-1])


def _check_like(pattern: str, mark: str) -> None:
    index = 0
    while index < len(pattern):
        if pattern[index] == mark:
            index += 1
            if pattern[index : index + 1] not in ("%", "_", mark):
                raise QueryError(
                    "INVALID_FUNCTION_ARGUMENT",
                    "Escape character must be followed by '%', '_' or the escape character itself",
                )
        index += 1
