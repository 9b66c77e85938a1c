"""Types of expressions, by sqlglot, and the few rules on them that DuckDB does not have.

DuckDB compares a date with a text and takes a number for a truth where Athena fails: a query that
only works on this machine is the one mistake this service is there to show.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.annotate_types import TypeAnnotator, annotate_types
from sqlglot.schema import Schema

from localaws.athena.errors import QueryError, not_supported, type_mismatch
from localaws.athena.sql.functions import FUNCTIONS
from localaws.athena.sql.parsing import AthenaSelect, position_of

_FAMILIES = {
    **dict.fromkeys(exp.DataType.TEXT_TYPES, "text"),
    **dict.fromkeys(exp.DataType.NUMERIC_TYPES, "number"),
    **dict.fromkeys(exp.DataType.TEMPORAL_TYPES, "time"),
    **{one: one.value for one in (exp.DType.BOOLEAN, exp.DType.VARBINARY, exp.DType.JSON)},
    **{one: one.value for one in (exp.DType.ARRAY, exp.DType.MAP, exp.DType.STRUCT)},
}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_SIGNS = ("=", "<>", "<", "<=", ">", ">=", *"+-*/%", "||")
_WORDS: dict[type[exp.Expr], str] = dict(
    zip((*_COMPARISONS[:6], *_ARITHMETIC, exp.DPipe), _SIGNS, strict=True)
)
_CONDITIONS: dict[type[exp.Expr], str] = {exp.Where: "WHERE clause", exp.Having: "HAVING clause"}


def annotate(tree: exp.Expr, schema: Schema) -> None:
    """Give every expression of a qualified query its type, where it is known."""
    annotate_types(tree, schema=schema, expression_metadata=_METADATA, dialect=AthenaSelect)


def _call(annotator: TypeAnnotator, node: exp.Anonymous) -> None:
    returns = FUNCTIONS.get(node.name.lower(), ("unknown",))[0]
    args = _arguments(node)
    found = args[-1 if returns == "last" else 0].type if args else None
    kind: exp.DataType | exp.DType = exp.DType.UNKNOWN
    if returns in ("first", "last"):
        kind = found or kind
    elif returns == "array" and found is not None:
        kind = exp.DataType(this=exp.DType.ARRAY, expressions=[found], nested=True)
    elif returns == "element":
        kind = found.expressions[-1] if found is not None and found.expressions else kind
    elif returns not in ("array", "unknown"):
        kind = exp.DataType.build(returns, dialect=AthenaSelect)
    annotator._set_type(node, kind)  # noqa: SLF001


def _literal(annotator: TypeAnnotator, node: exp.Literal) -> None:
    if node.is_string:
        kind = exp.DType.VARCHAR
    elif node.is_int:
        kind = exp.DType.INT if int(node.name) < 2**31 else exp.DType.BIGINT
    else:
        kind = exp.DType.DOUBLE if "e" in node.name.lower() else exp.DType.DECIMAL
    annotator._set_type(node, kind)  # noqa: SLF001


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    found = []
    for one in node.expressions:
        inner = one.expressions[0] if isinstance(one, exp.Distinct) else one
        found.append(inner.this if isinstance(inner, exp.Order) else inner)
    return found


_METADATA = {
    **AthenaSelect.EXPRESSION_METADATA,
    exp.Anonymous: {"annotator": _call},
    exp.Literal: {"annotator": _literal},
    exp.HexString: {"returns": exp.DType.VARBINARY},
    exp.CurrentTimestamp: {"returns": exp.DType.TIMESTAMPTZ},
}


def family(node: exp.Expr) -> str | None:
    """The family of an expression's type; None where it is not known."""
    return _FAMILIES.get(node.type.this) if node.type is not None else None


def shown_type(node: exp.Expr) -> str:
    """The type of an expression as Trino prints it."""
    return node.type.sql("trino").lower() if node.type is not None else "unknown"


def check(statement: str, tree: exp.Expr) -> None:
    """Raise QueryError (TYPE_MISMATCH) for operands of unlike families."""
    for node in tree.walk():
        try:
            _check(node)
        except QueryError as error:
            raise error.at(position_of(statement, node)) from error


def _check(node: exp.Expr) -> None:
    if isinstance(node, (*_COMPARISONS, exp.DPipe)):
        _alike(node, [node.this, node.expression])
    elif isinstance(node, _ARITHMETIC):
        _alike(node, [node.this, node.expression], "number")
        if any(one.is_type(exp.DType.DECIMAL) for one in (node.this, node.expression)):
            raise not_supported("arithmetic of decimals (cast them to double)")
    elif isinstance(node, exp.In):
        query = node.args.get("query")
        _alike(node, [node.this, *(node.expressions if query is None else query.this.selects)])
    elif isinstance(node, exp.Between):
        _alike(node, [node.this, node.args["low"], node.args["high"]])
    elif isinstance(node, exp.SetOperation):
        for one, other in zip(node.left.selects, node.right.selects, strict=False):
            _alike(node, [one, other])
    elif isinstance(node, exp.Join) and node.args.get("on") is not None:
        _boolean(node.args["on"], "JOIN ON clause")
    elif type(node) in _CONDITIONS:
        _boolean(node.this, _CONDITIONS[type(node)])


def _unlike(one: exp.Expr, other: exp.Expr) -> bool:
    families = {family(one), family(other)}
    return len(families) == 2 and None not in families


def _alike(node: exp.Expr, operands: list[exp.Expr], wanted: str | None = None) -> None:
    first, *others = operands
    if isinstance(node, exp.DPipe):
        wanted = "text" if "ARRAY" not in map(family, operands) else "ARRAY"
    for other in others:
        if _unlike(first, other) or (wanted and {family(first), family(other)} - {wanted, None}):
            word = _WORDS.get(type(node), type(node).__name__.upper())
            message = f"Cannot apply operator: {shown_type(first)} {word} {shown_type(other)}"
            raise type_mismatch(message)


def _boolean(node: exp.Expr, what: str) -> None:
    if family(node) not in (None, "BOOLEAN"):
        message = f"{what} must evaluate to a boolean: actual type {shown_type(node)}"
        raise type_mismatch(message)
