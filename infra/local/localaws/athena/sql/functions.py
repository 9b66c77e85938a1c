"""The functions that are known here, by Trino's name; every other one is refused.

What they give stands in `functions.txt`, what DuckDB computes otherwise in `macros.sql`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from localaws.athena.errors import QueryError, not_supported


def _lines(name: str) -> list[str]:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


FUNCTIONS = {
    name: (returns, duckdb) for name, returns, duckdb in map(str.split, _lines("functions.txt"))
}
"""What each function gives, and the DuckDB function or macro, by Trino's name."""
# What Trino has and is not here: not supported, rather than unknown.
_IN_TRINO = frozenset(_lines("trino_functions.txt"))
MACROS = {line.partition("(")[0]: line for line in _lines("macros.sql") if line.startswith("t_")}
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


def check_known(name: str) -> None:
    """Raise QueryError for a function that is not on the list."""
    if name not in FUNCTIONS:
        if name in _IN_TRINO:
            raise not_supported(f"the function '{name}'")
        raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered")


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
# without names or flags that always take part, few escapes, and `$` at the end.
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
TRANSLATED: dict[str, Callable[[str], str]] = {
    "date_format": _mysql_format,
    "date_parse": _mysql_format,
    **dict.fromkeys(("json_extract", "json_extract_scalar"), _json_path),
    **dict.fromkeys(("regexp_extract", "regexp_like", "regexp_replace"), _pattern),
}
"""The functions whose second argument is a literal in a language of its own, and its translator."""
