"""Which conditions a query puts on the partitions of the tables it reads.

Worked out on the translated query, where every relation has an alias of its own: a WHERE is
carried down into the subqueries and views of its FROM, where keeping or dropping it cannot change
the result. What cannot be carried is left out, so that more is read; rows are filtered later.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

Keys = Mapping[str, frozenset[str]]
"""The partition columns of every table, by its DuckDB name."""
Uses = dict[str, list[tuple[str, list[exp.Expr]]]]
"""For each place a table stands in: its alias there, and the conditions on partition columns."""


def conditions(tree: exp.Expr, keys: Keys) -> Uses:
    """What a translated query demands of each table in `keys`, use by use."""
    found: Uses = {name: [] for name in keys}
    carried: dict[int, list[exp.Expr]] = {}
    # A query comes before the queries in it.
    for select in tree.find_all(exp.Select):
        known = carried.get(id(select), [])
        clause, joins = select.args.get("from_"), select.args.get("joins") or []
        if select.args.get("where") is not None:
            known = [*known, select.args["where"].this]
        sides = ["", *(str(join.args.get("side") or "").upper() for join in joins)]
        if not any(sides):
            known = [*known, *(join.args["on"] for join in joins if join.args.get("on"))]
        relations = [] if clause is None else [clause.this, *(join.this for join in joins)]
        for number, relation in enumerate(relations):
            # Nothing is said of a side that may be filled with NULLs.
            later = any(side in ("RIGHT", "FULL") for side in sides[number + 1 :])
            optional = later or sides[number] in ("LEFT", "FULL")
            columns = {} if optional else _columns(relation, keys)
            said = [_weakened(one, relation.alias, columns) for one in known]
            if isinstance(relation, exp.Table) and relation.name in keys:
                found[relation.name].append((relation.alias, said))
            elif isinstance(relation, exp.Subquery):
                carried[id(relation.this)] = said
    return found


def _columns(relation: exp.Expr, keys: Keys) -> dict[str, exp.Expr]:
    """The columns of a relation of which something may be said, and what they are inside of it."""
    if isinstance(relation, exp.Table):
        names = keys.get(relation.name, ())
        return {name: exp.column(name, relation.alias, quoted=True) for name in names}
    inner = relation.this
    if not isinstance(relation, exp.Subquery) or not isinstance(inner, exp.Select):
        return {}
    # These count or take other rows than the condition would leave.
    if inner.args.get("limit") or inner.args.get("offset") or inner.find(exp.Window, exp.Having):
        return {}
    return {
        item.alias: item.this for item in inner.expressions if isinstance(item.this, exp.Column)
    }


def _weakened(node: exp.Expr, alias: str, columns: Mapping[str, exp.Expr]) -> exp.Expr:
    """A condition that `node` implies, of these columns alone; the rest of it counts as true."""
    if isinstance(node, exp.Paren) and isinstance(node.this, (exp.And, exp.Or, exp.Paren)):
        return exp.Paren(this=_weakened(node.this, alias, columns))
    if isinstance(node, (exp.And, exp.Or)):
        sides = [_weakened(side, alias, columns) for side in (node.this, node.expression)]
        return type(node)(this=sides[0], expression=sides[1])
    used = list(node.find_all(exp.Column))
    if node.find(exp.Query) or any(c.table != alias or c.name not in columns for c in used):
        return exp.true()
    return node.transform(
        lambda one: columns[one.name].copy() if isinstance(one, exp.Column) else one
    )
