"""The functions that are known here, by Trino's name; every other one is refused.

What they take and give stands in ``functions.txt``, what DuckDB computes otherwise in
``macros.sql``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported, type_mismatch
from localaws.athena.sql import types
from localaws.athena.sql.scope import Value
from localaws.athena.sql.types import BIGINT, Type, can_coerce, common_type, duckdb_name

_HERE = Path(__file__).parent
_TYPES = {"zoned": types.TIMESTAMP_TZ, "timestamp": types.TIMESTAMP}
_VARIABLES = ("T", "O", "K", "V")


@dataclass(frozen=True, slots=True)
class Signature:
    """One line of ``functions.txt``; `repeats` if the one argument may be given several times."""

    args: tuple[Type, ...]
    returns: Type
    duckdb: str
    repeats: bool

    def fitting(self, given: Sequence[Type]) -> dict[str, Type] | None:
        """What the type variables stand for if the arguments fit; None if they do not."""
        wanted = self.args * len(given) if self.repeats and given else self.args
        if len(wanted) != len(given):
            return None
        found: dict[str, Type] = {}
        fits = (_bind(one, other, found) for one, other in zip(wanted, given, strict=True))
        return found if all(fits) else None


def _bind(wanted: Type, given: Type, found: dict[str, Type]) -> bool:
    if wanted.base == "decimal":
        found[wanted.base] = types.decimal(types.MAX_DECIMAL, *given.numbers[1:])
        return given.base == wanted.base
    if wanted.base not in _VARIABLES:
        if not wanted.args:
            return can_coerce(given, wanted)
        inner = zip(wanted.args, given.args, strict=False)
        return wanted.base == given.base and all(_bind(*pair, found) for pair in inner)
    common = common_type(found.get(wanted.base, given), given)
    if common is None or (wanted.base == "O" and not _is_simple(common)):
        return False
    found[wanted.base] = common
    return True


def _is_simple(kind: Type) -> bool:
    """Whether values can be sorted, and DuckDB sorts them as Trino does."""
    return types.is_orderable(kind) and not kind.args and kind not in types.FLOATS


def _type(word: str) -> Type:
    base, _, inner = word.partition("(")
    if inner:
        return Type(base, args=tuple(map(_type, inner.rstrip(")").split(","))))
    return _TYPES.get(word) or Type(word)


@functools.cache
def _signatures() -> dict[str, list[Signature]]:
    found: dict[str, list[Signature]] = {}
    for line in (_HERE / "functions.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            left, _, right = line.partition(" -> ")
            name, *args = left.replace(" ->", "").split()
            returns, duckdb = right.split()
            kinds = tuple(_type(word.rstrip("*")) for word in args)
            one = Signature(kinds, _type(returns), duckdb, left.endswith("*"))
            found.setdefault(name, []).append(one)
    return found


# What Trino has and is not here in all its forms: not supported, rather than unknown.
_IN_TRINO = frozenset((_HERE / "trino_functions.txt").read_text(encoding="utf-8").split())
MACROS = {
    line.partition("(")[0]: line
    for line in (_HERE / "macros.sql").read_text(encoding="utf-8").splitlines()
    if line.startswith("t_")
}
"""DuckDB macros by name, each after those it calls."""


def macros_of(sql: str) -> set[str]:
    """The macros a DuckDB statement calls, and those that these call."""
    found: set[str] = set()
    texts = [sql]
    while texts:
        called = {*re.findall(r"\bt_\w+(?=\()", texts.pop())} & MACROS.keys()
        texts += [MACROS[name].partition(" AS ")[2] for name in called - found]
        found |= called
    return found


def is_known(name: str) -> bool:
    """Whether there is a function, or ``aggregate:`` or ``window:`` one, of this name."""
    return name in _signatures()


def call(name: str, *args: exp.Expr | str) -> exp.Expr:
    """A call of a DuckDB function."""
    nodes = [exp.Literal.string(one) if isinstance(one, str) else one for one in args]
    return exp.Anonymous(this=name, expressions=nodes)


def as_type(node: exp.Expr, kind: Type) -> exp.Expr:
    """DuckDB's own cast."""
    target = exp.DataType(this=exp.DType.USERDEFINED, kind=duckdb_name(kind))
    return exp.Cast(this=node, to=target)


def coerce(value: Value, target: Type) -> Value:
    """`value` widened to `target`, which `types.can_coerce` or `common_type` allowed."""
    return value if value.type == target else Value(as_type(value.node, target), target)


def unified(values: list[Value], what: str) -> list[Value]:
    """The values widened to their common type; raises QueryError when there is none."""
    kind = values[0].type
    for value in values[1:]:
        common = common_type(kind, value.type)
        if common is None:
            raise type_mismatch(f"{what} must be the same type: {kind}, {value.type}")
        kind = common
    return [coerce(value, kind) for value in values]


def cast(value: Value, target: Type) -> Value:
    """``CAST(value AS target)``; raises QueryError when Trino has no such cast, or we do not."""
    source = value.type
    if source in (target, types.UNKNOWN):
        return coerce(value, target)
    if types.is_number(source) and types.is_number(target):
        if source in types.FLOATS and target.base == "decimal":
            raise not_supported(f"a cast from {source} to {target}")
        # DuckDB rounds halves to even when it casts, Trino away from zero.
        rounds = target in types.INTEGERS and source not in types.INTEGERS
        return Value(as_type(call("round", value.node) if rounds else value.node, target), target)
    name = {types.TIMESTAMP: "timestamp", types.TIMESTAMP_TZ: "zoned"}.get(target, str(target))
    written = target == types.VARCHAR and source.base in ("timestamp", types.ZONED)
    if not is_known(f"cast:{name}") or (written and source.numbers != (3,)):
        raise not_supported(f"a cast from {source} to {target}")
    for one in _signatures()[f"cast:{name}"]:
        if source.base == one.args[0].base or (source in types.INTEGERS and one.args[0] == BIGINT):
            node = call(one.duckdb, value.node)
            return Value(node if one.duckdb != "t_same" else as_type(value.node, target), target)
    if source in types.FLOATS or "json" in (source.base, target.base):
        raise not_supported(f"a cast from {source} to {target}")
    raise type_mismatch(f"Cannot cast {source} to {target}")


def chosen(name: str, args: Sequence[Value]) -> tuple[str, list[exp.Expr], Type]:
    """The DuckDB function for a call, its arguments and the type of its value.

    Raises QueryError for an unknown function, or for arguments that it does not take.
    """
    plain = name.partition(":")[2] if name.startswith(("aggregate:", "window:")) else name
    plain = plain.partition(":")[0]
    signatures = _signatures().get(name)
    if signatures is None and plain not in _IN_TRINO:
        message = f"Function '{plain}' not registered"
        raise QueryError("FUNCTION_NOT_FOUND", message)
    given = [arg.type for arg in args]
    for one in sorted(signatures or (), key=lambda one: list(one.args) != given):
        found = one.fitting(given)
        if found is not None:
            wanted = one.args * len(given) if one.repeats else one.args
            kinds = [_filled(kind, found) for kind in wanted]
            nodes = [
                arg.node
                if arg.type.base == "decimal" == one.args[0].base
                else coerce(arg, kind).node
                for arg, kind in zip(args, kinds, strict=True)
            ]
            return one.duckdb, nodes, _filled(one.returns, found)
    if signatures is None or plain in _IN_TRINO:
        raise not_supported(f"the function '{plain}'{' of these arguments' * bool(signatures)}")
    expected = ", ".join(f"{plain}({', '.join(map(str, one.args))})" for one in signatures)
    raise QueryError(
        "FUNCTION_NOT_FOUND",
        f"Unexpected parameters ({', '.join(map(str, given))}) for function {plain}. "
        f"Expected: {expected}",
    )


def _filled(kind: Type, found: dict[str, Type]) -> Type:
    if kind.base in found:
        return found[kind.base]
    if kind.args:
        return Type(kind.base, args=tuple(_filled(arg, found) for arg in kind.args))
    return kind


_LITERALS = ("date_trunc", "date_add", "date_diff")


def scalar(name: str, args: list[Value]) -> Value:
    """The value of a call; raises QueryError for an unknown function or wrong arguments."""
    if name in _LITERALS and args:
        unit = _literal(name, args[0]).lower()
        if not is_known(f"{name}:{unit}"):
            message = f"'{unit}' is not a valid TIMESTAMP field"
            raise QueryError("INVALID_FUNCTION_ARGUMENT", message)
        name, args = f"{name}:{unit}", args[1:]
    if name in ("coalesce", "nullif") and args:
        args = unified(args, f"All {name} arguments")
    if name in _TRANSLATED and len(args) > 1:
        args = [*args]
        written = _TRANSLATED[name](_literal(name, args[1]))
        args[1] = Value(exp.Literal.string(written), types.VARCHAR)
    duckdb, nodes, kind = chosen(name, args)
    if duckdb in ("t_concat", "t_greatest", "t_least"):
        node = functools.reduce(lambda one, other: call(duckdb, one, other), nodes)
        return Value(node, kind)
    if duckdb == "t_same":
        return Value(as_type(nodes[0], kind), kind)
    node = call(duckdb, *nodes)
    exact = kind in (BIGINT, types.DATE) or kind.base == "decimal"
    return Value(as_type(node, kind) if exact else node, kind)


def _literal(name: str, value: Value) -> str:
    if value.literal is None:
        raise not_supported(f"{name} whose argument is not a literal")
    return value.literal


_STEP = re.compile(r'\.([\w:]+)|\["((?:[^"\\]|\\["\\])*)"\]|\[(\w+)\]')


def _json_path(path: str) -> str:
    """A path as DuckDB writes it; raises QueryError."""
    written, index = "$", 1
    while path.startswith("$") and index < len(path):
        match = _STEP.match(path, index)
        if match is None:
            break
        plain, quoted, subscript = match.groups()
        if subscript is not None and not subscript.isdecimal():
            raise not_supported(f"the JSON path '{path}'")
        key = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
        if key is not None and '"' in key:
            raise not_supported(f"the JSON path '{path}'")
        written += f"[{subscript}]" if subscript is not None else f'."{key}"'
        index = match.end()
    if index != len(path) or not path.startswith("$"):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{path}'")
    return written


# What Java's and DuckDB's engines agree on: plain characters, classes without nesting, groups
# without names or flags that always take part, few escapes, and ``$`` at the end.
_ESCAPED = r"\\[dsw.\\^$|?*+()\[\]{}/\"'-]"
_PATTERN = re.compile(
    rf"\^?(?:[^\\\[\](){{}}|^$]|\{{\d+(?:,\d*)?\}}|\((?:\?:)?|\)(?![?*{{])|{_ESCAPED}"
    rf"|\[\^?(?:[^\\\[\]&^]|{_ESCAPED})+\])*\$?"
)


def _pattern(pattern: str) -> str:
    if not _PATTERN.fullmatch(pattern):
        raise not_supported(f"the regular expression '{pattern}'")
    return pattern


def _mysql_format(pattern: str) -> str:
    """A format of date_format as strftime's; raises QueryError."""
    pieces = re.findall(r"(%.)|(.)", pattern)
    for specifier, _ in pieces:
        if specifier and specifier not in _MYSQL:
            raise not_supported(f"{specifier} in the date format '{pattern}'")
    return "".join(_MYSQL[one] if one else char.replace("%", "%%") for one, char in pieces)


_MYSQL = {f"%{one}": f"%{one}" for one in "Ymd"} | {"%H": "%H", "%i": "%M", "%s": "%S", "%S": "%S"}
_MYSQL |= {"%T": "%H:%M:%S", "%j": "%j", "%y": "%y", "%%": "%%", "%e": "%-d", "%c": "%-m"}
_TRANSLATED: dict[str, Callable[[str], str]] = {
    "date_format": _mysql_format,
    "date_parse": _mysql_format,
    **dict.fromkeys(("json_extract", "json_extract_scalar"), _json_path),
    **dict.fromkeys(("regexp_extract", "regexp_like", "regexp_replace"), _pattern),
}
