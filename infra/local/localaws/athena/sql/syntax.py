"""The kinds of syntax that are taken; every other one is refused."""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.sql.functions import check_known
from localaws.athena.sql.parsing import position_of, shown

_KNOWN = frozenset(
    (
        # queries
        *(exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered),
        *(exp.Limit, exp.Offset, exp.Distinct, exp.With, exp.CTE, exp.Subquery, exp.Table),
        *(exp.TableAlias, exp.Union, exp.Intersect, exp.Except, exp.Values, exp.Unnest, exp.Tuple),
        # names and literals
        *(exp.Identifier, exp.Column, exp.Star, exp.Alias, exp.Dot, exp.Literal, exp.HexString),
        *(exp.Boolean, exp.Null, exp.DataType, exp.DataTypeParam, exp.Var),
        # operators
        *(exp.Paren, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
        *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.Between, exp.In, exp.Like, exp.Exists),
        *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe),
        # calls
        *(exp.Anonymous, exp.Case, exp.If, exp.Cast, exp.Coalesce, exp.Extract, exp.StrPosition),
        *(exp.Substring, exp.Trim, exp.Array, exp.Bracket, exp.CurrentTimestamp, exp.CurrentDate),
        *(exp.Filter, exp.Window, exp.WindowSpec),
    )
)
# What these may not have, of what sqlglot reads.
_REFUSED: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Select: ("windows", "laterals", "sample", "locks", "into"),
    exp.Join: ("method", "global_", "hint", "match_condition"),
    exp.Group: ("all", "totals", "rollup", "cube", "grouping_sets"),
    exp.Star: ("except_", "replace", "rename", "except", "ilike"),
    exp.With: ("recursive",),
    exp.Distinct: ("on",),
    exp.Between: ("symmetric",),
    exp.Window: ("alias", "first"),
    exp.WindowSpec: ("exclude",),
    exp.Trim: ("expression",),
    exp.CurrentTimestamp: ("this",),
}


def check_syntax(statement: str, tree: exp.Expr) -> None:
    """Raise QueryError for what is not on the lists, with its position."""
    for node in tree.walk():
        try:
            if not _is_known(node):
                raise not_supported(f"'{shown(node)}'")
            if isinstance(node, exp.Anonymous) and node.name.lower() != "now":
                check_known(node.name.lower())
        except QueryError as error:
            raise error.at(position_of(statement, node)) from error


def _is_known(node: exp.Expr) -> bool:
    if type(node) not in _KNOWN or any(map(node.args.get, _REFUSED.get(type(node), ()))):
        return False
    if isinstance(node, exp.Join):
        return str(node.args.get("kind") or "").upper() in ("", "INNER", "CROSS", "OUTER")
    if isinstance(node, exp.Table):
        return isinstance(node.this, exp.Identifier) and not node.alias_column_names
    return not isinstance(node, exp.Is) or isinstance(node.expression, exp.Null)
