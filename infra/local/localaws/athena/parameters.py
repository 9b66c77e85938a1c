"""``?`` in a statement, and the values a StartQueryExecution gives for them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.parsing import parse_query, placeholders

_LITERALS = (exp.Literal, exp.Boolean, exp.Null, exp.HexString)


def filled(statement: str, values: Sequence[str]) -> str:
    """The statement with every ``?`` replaced by a literal; raises QueryError.

    A value is the text of a Trino literal: ``'text'``, ``42``, ``DATE '2026-01-01'``.
    """
    if not values:
        return statement
    offsets = placeholders(statement)
    if len(offsets) != len(values):
        raise QueryError(
            "INVALID_PARAMETER_USAGE",
            f"Incorrect number of parameters: expected {len(offsets)} but found {len(values)}",
        )
    pieces, last = [], 0
    for offset, value in zip(offsets, values, strict=True):
        _check(value)
        pieces += [statement[last:offset], value]
        last = offset + 1
    return "".join([*pieces, statement[last:]])


def _check(value: str) -> None:
    tree = parse_query(f"SELECT {value}")
    plain = isinstance(tree, exp.Select) and not any(
        part for name, part in tree.args.items() if name != "expressions"
    )
    items = tree.expressions if plain else []
    node = items[0] if len(items) == 1 else None
    if isinstance(node, (exp.Neg, exp.Cast)):
        node = node.this
    if not isinstance(node, _LITERALS):
        raise not_supported(f"the execution parameter {value!r}, which is not a literal,")
