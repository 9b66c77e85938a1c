"""A translated expression: its DuckDB text, its Trino type, and what may be done with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from localaws.athena import types, udfs
from localaws.athena.sql import Sql, compose, string, text
from localaws.athena.types import Type, duckdb_name

# What may raise an error: our own functions that do, integer division, narrowing casts.
_FALLIBLE = re.compile(
    r"//|%|CAST\(|[-+*] \{|" + "|".join(rf"\b{name}\(" for name in sorted(udfs.FALLIBLE))
)


@dataclass(frozen=True, slots=True)
class Expr:
    """One expression.

    `local` is the time of day in its own zone of a timestamp whose zone is not known to be UTC;
    `literal` the value of a plain literal; `movable` whether it may be evaluated elsewhere with
    the same result (no subquery, aggregate or window in it); `fallible` whether it may raise an
    error for some rows; `partitions` the PARTITION BY keys of each window in it.
    """

    sql: Sql
    type: Type
    local: Sql | None = None
    literal: str | int | None = None
    movable: bool = True
    aggregate: bool = False
    window: bool = False
    fallible: bool = False
    partitions: tuple[frozenset[Sql], ...] = ()

    @property
    def constant(self) -> bool:
        """Whether it is the same for every row."""
        return self.movable and not any(self.sql.refs()) and not self.aggregate and not self.window


def build(template: str, kind: Type, *args: Expr) -> Expr:
    """An expression of `args` put into a `sql.compose` template."""
    return Expr(
        compose(template, *(arg.sql for arg in args)),
        kind,
        movable=all(arg.movable for arg in args),
        aggregate=any(arg.aggregate for arg in args),
        window=any(arg.window for arg in args),
        fallible=bool(_FALLIBLE.search(template)) or any(arg.fallible for arg in args),
        partitions=tuple(keys for arg in args for keys in arg.partitions),
    )


def retyped(expr: Expr, kind: Type) -> Expr:
    """The same value under another type of the same representation."""
    return replace(expr, type=kind, literal=None)


def null(kind: Type = types.UNKNOWN) -> Expr:
    """NULL."""
    return Expr(text(f"CAST(NULL AS {duckdb_name(kind)})"), kind)


def varchar_literal(value: str) -> Expr:
    """A string."""
    return Expr(string(value), types.VARCHAR, literal=value)


def integer_literal(value: int) -> Expr:
    """A whole number, an integer if it fits."""
    kind = types.INTEGER if -(2**31) <= value < 2**31 else types.BIGINT
    return Expr(text(f"CAST({value} AS {duckdb_name(kind)})"), kind, literal=value)


def guarded(condition: str, message: str, value: str, kind: Type, *args: Expr) -> Expr:
    """`value`, or the error `message` for the rows where `condition` holds.

    The message is itself a template whose result is text. The error is not DuckDB's ``error()``,
    which TRY refuses.
    """
    return build(
        f"CASE WHEN {condition} THEN CASE WHEN t_fail({message}) THEN NULL END ELSE {value} END",
        kind,
        *args,
    )
