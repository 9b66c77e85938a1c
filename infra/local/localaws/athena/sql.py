"""DuckDB text in the making: pieces of SQL in which references to columns stay visible.

Text and references are kept apart so that a predicate can be moved through a subquery (see
`pruning`) by replacing references, never by editing text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from localaws.athena.errors import not_supported
from localaws.athena.types import quoted


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of a relation of the DuckDB statement."""

    relation: str
    column: str


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of DuckDB SQL."""

    parts: tuple[str | Ref, ...]

    def __str__(self) -> str:
        return "".join(
            part if isinstance(part, str) else f"{part.relation}.{quoted(part.column)}"
            for part in self.parts
        )

    def refs(self) -> Iterator[Ref]:
        """The columns it refers to."""
        return (part for part in self.parts if isinstance(part, Ref))

    def replace(self, mapping: Mapping[Ref, Sql]) -> Sql:
        """The same with references replaced; those not in `mapping` stay."""
        parts: list[str | Ref] = []
        for part in self.parts:
            if isinstance(part, Ref) and part in mapping:
                parts.extend(("(", *mapping[part].parts, ")"))
            else:
                parts.append(part)
        return Sql(tuple(parts))


def text(raw: str) -> Sql:
    """SQL without references."""
    return Sql((raw,))


def ref(relation: str, column: str) -> Sql:
    """A reference to one column."""
    return Sql((Ref(relation, column),))


def compose(template: str, *pieces: Sql) -> Sql:
    """`template` with every ``{}`` replaced by the next piece.

    ``{0}`` style numbers may be used instead, to repeat a piece.
    """
    parts: list[str | Ref] = []
    rest = template
    count = 0
    while True:
        before, brace, rest = rest.partition("{")
        if before:
            parts.append(before)
        if not brace:
            return Sql(tuple(parts))
        number, _, rest = rest.partition("}")
        parts.extend(pieces[int(number) if number else count].parts)
        count += 1


def join(separator: str, pieces: Iterable[Sql]) -> Sql:
    """The pieces with `separator` between them."""
    parts: list[str | Ref] = []
    for index, piece in enumerate(pieces):
        if index:
            parts.append(separator)
        parts.extend(piece.parts)
    return Sql(tuple(parts))


def string(value: str) -> Sql:
    """A string literal."""
    if "\0" in value:
        raise not_supported("a NUL character in a string literal")
    return Sql(("'" + value.replace("'", "''") + "'",))
