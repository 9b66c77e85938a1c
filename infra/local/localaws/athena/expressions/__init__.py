"""From Trino's expressions to DuckDB's: one translator per kind of syntax, the rest is refused."""

from localaws.athena.expressions import calls, literals, logic, names, values, windows
from localaws.athena.expressions.translator import Clause, Expressions, direction, shown

# Imported so that their translators are registered.
_REGISTERED = (calls, literals, logic, names, values, windows)

__all__ = ["Clause", "Expressions", "direction", "shown"]
