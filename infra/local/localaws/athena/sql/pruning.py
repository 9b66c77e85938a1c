"""Which conditions a query puts on the partitions of the tables it reads.

Worked out on the translated query, where every relation has an alias of its own: a WHERE is carried
down into the subqueries of its FROM, as far as keeping or dropping it there cannot change the
result. What cannot be carried is left out, so that more is read; rows are filtered later anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

Keys = Mapping[str, frozenset[str]]
"""The partition columns of every table, by its DuckDB name."""
Uses = dict[str, list[tuple[str, list[exp.Expr]]]]
"""For each place a table stands in: its alias there, and the conditions on partition columns."""


def conditions(tree: exp.Expr, keys: Keys) -> Uses:
    """What a translated query demands of each table in `keys`, use by use."""
    found: Uses = {name: [] for name in keys}
    visited: set[int] = set()
    _query(tree, [], keys, found, visited)
    # Queries inside expressions know no conditions but their own.
    for select in tree.find_all(exp.Select):
        if id(select) not in visited:
            _query(select, [], keys, found, visited)
    return found


def _query(
    node: exp.Expr, demands: Sequence[exp.Expr], keys: Keys, found: Uses, visited: set[int]
) -> None:
    """Follow a query of whose own columns `demands` must be true."""
    while isinstance(node, exp.Subquery):
        node = node.this
    if isinstance(node, exp.SetOperation):
        # What is said of the result holds for either side, whose columns are called alike.
        passed = [] if node.args.get("limit") or node.args.get("offset") else demands
        for side in (node.this, node.expression):
            _query(side, passed, keys, found, visited)
        return
    if not isinstance(node, exp.Select):
        return
    visited.add(id(node))
    outputs = {item.alias: item.this for item in node.expressions if isinstance(item, exp.Alias)}
    known = [_carried(one, outputs) for one in demands] if _transparent(node) else []
    if node.args.get("where") is not None:
        known.append(node.args["where"].this)
    relations = [node.args["from_"].this] if node.args.get("from_") else []
    # Nothing is said of a side that may be filled with NULLs.
    sides = [str(join.args.get("side") or "").upper() for join in node.args.get("joins") or []]
    optional = [any(side in ("RIGHT", "FULL") for side in sides)] if relations else []
    for number, join in enumerate(node.args.get("joins") or []):
        relations.append(join.this)
        later = any(side in ("RIGHT", "FULL") for side in sides[number + 1 :])
        optional.append(later or sides[number] in ("LEFT", "FULL"))
        if not any(sides) and join.args.get("on") is not None:
            known.append(join.args["on"])
    for relation, may_be_null in zip(relations, optional, strict=True):
        alias = relation.alias
        said = [] if may_be_null else [_about(one, {alias}) for one in known]
        if isinstance(relation, exp.Table):
            columns = keys.get(relation.name, frozenset())
            about = [_of_columns(one, alias, columns) for one in said]
            found.setdefault(relation.name, []).append((alias, about))
        else:
            _query(relation.this, [_own(one, alias) for one in said], keys, found, visited)


def _transparent(node: exp.Select) -> bool:
    """Whether a condition on what is selected may be checked on the rows of FROM."""
    if node.args.get("limit") or node.args.get("offset"):
        return False
    return node.find(exp.Window, exp.Having) is None


def _carried(demand: exp.Expr, outputs: Mapping[str, exp.Expr]) -> exp.Expr:
    """A condition on a query's own columns as one on the rows it reads."""

    def change(leaf: exp.Expr) -> exp.Expr | None:
        for column in leaf.find_all(exp.Column):
            # An aggregate is no longer what its rows are; a plain column is, if grouped by or not.
            if not isinstance(outputs.get(column.name), exp.Column):
                return None
        return leaf.transform(
            lambda one: outputs[one.name].copy() if isinstance(one, exp.Column) else one
        )

    return _weakened(demand, change)


def _about(condition: exp.Expr, aliases: set[str]) -> exp.Expr:
    return _weakened(
        condition,
        lambda leaf: leaf if all(c.table in aliases for c in leaf.find_all(exp.Column)) else None,
    )


def _own(condition: exp.Expr, alias: str) -> exp.Expr:
    """A condition on the columns of an alias as one on the columns of the query behind it."""
    return condition.transform(
        lambda one: (
            exp.column(one.name, quoted=True)
            if isinstance(one, exp.Column) and one.table == alias
            else one
        )
    )


def _of_columns(condition: exp.Expr, alias: str, columns: frozenset[str]) -> exp.Expr:
    def change(leaf: exp.Expr) -> exp.Expr | None:
        own = all(one.table == alias and one.name in columns for one in leaf.find_all(exp.Column))
        return leaf if own else None

    return _weakened(condition, change)


def _weakened(node: exp.Expr, change: Callable[[exp.Expr], exp.Expr | None]) -> exp.Expr:
    """A condition that `node` implies: what `change` gives None for counts as true."""
    if isinstance(node, exp.Paren) and isinstance(node.this, (exp.And, exp.Or, exp.Paren)):
        return exp.Paren(this=_weakened(node.this, change))
    if isinstance(node, (exp.And, exp.Or)):
        sides = [_weakened(side, change) for side in (node.this, node.expression)]
        return type(node)(this=sides[0], expression=sides[1])
    if node.find(exp.Query, exp.AggFunc) is not None:
        return exp.true()
    changed = change(node)
    return exp.true() if changed is None else changed.copy()
