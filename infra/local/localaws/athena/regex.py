"""Trino's regular expressions (Java syntax) on Python's engine.

Both backtrack and agree on what is common to them; a pattern outside of that, or a text on which
they may differ (character classes over non-ASCII text), is refused.
"""

from __future__ import annotations

import functools
import re

_NAMED = re.compile(r"\(\?<([A-Za-z][A-Za-z0-9]*)>")
_ESCAPES = frozenset("dDsSwWbBAnrtf\\.^$|?*+()[]{}-/\"'#&~`@!%,:;<>= 123456789kzZQExu0")
_REFUSED_ESCAPES = frozenset("kzZQEpPRXhHvVGxu0")
_AMBIGUOUS = re.compile(r"\\[dDsSwWbB]|\(\?[a-zA-Z]*i|\[:")


class BadPattern(ValueError):
    """A pattern that cannot be used; the message is Athena's error."""


def _refuse(pattern: str, why: str) -> BadPattern:
    return BadPattern(
        f"NOT_SUPPORTED: {why} in the regular expression '{pattern}' is not supported by the "
        "local Athena"
    )


@functools.lru_cache(maxsize=512)
def _compile(pattern: str) -> tuple[re.Pattern[str], bool]:
    """The compiled pattern, and whether it may differ on non-ASCII text."""
    index, in_class = 0, False
    while index < len(pattern):
        char = pattern[index]
        if char == "\\":
            escaped = pattern[index + 1 : index + 2]
            if escaped not in _ESCAPES or escaped in _REFUSED_ESCAPES:
                raise _refuse(pattern, f"\\{escaped}")
            index += 1
        elif in_class and (char == "[" or pattern.startswith("&&", index)):
            raise _refuse(pattern, "a nested character class")
        elif char == "[":
            in_class = True
            if pattern[index + 1 : index + 2] == "]" or pattern.startswith("^]", index + 1):
                raise _refuse(pattern, "an unescaped ']' that opens a character class")
        elif char == "]":
            in_class = False
        index += 1
    try:
        compiled = re.compile(_NAMED.sub(r"(?P<\1>", pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(f"INVALID_FUNCTION_ARGUMENT: '{pattern}': {error}") from error
    return compiled, bool(_AMBIGUOUS.search(pattern))


def _usable(pattern: str, text: str) -> re.Pattern[str]:
    compiled, ambiguous = _compile(pattern)
    if ambiguous and not text.isascii():
        raise _refuse(pattern, "a character class over text that is not ASCII")
    return compiled


def like(text: str, pattern: str) -> bool:
    """``regexp_like``: whether the pattern occurs anywhere."""
    return _usable(pattern, text).search(text) is not None


def extract(text: str, pattern: str, group: int) -> str | None:
    """``regexp_extract``: the first match's group, None when there is none."""
    compiled = _usable(pattern, text)
    _check_group(compiled, group)
    match = compiled.search(text)
    return match.group(group) if match else None


def extract_all(text: str, pattern: str, group: int) -> list[str | None]:
    """``regexp_extract_all``."""
    compiled = _usable(pattern, text)
    _check_group(compiled, group)
    return [match.group(group) for match in compiled.finditer(text)]


def _check_group(compiled: re.Pattern[str], group: int) -> None:
    if not 0 <= group <= compiled.groups:
        raise BadPattern(
            f"INVALID_FUNCTION_ARGUMENT: Pattern has {compiled.groups} groups. "
            f"Cannot access group {group}"
        )


def replace(text: str, pattern: str, replacement: str) -> str:
    """``regexp_replace`` with ``$1`` and ``${name}`` in the replacement."""
    compiled = _usable(pattern, text)
    pieces = _replacement(compiled, replacement)
    return compiled.sub(
        lambda match: "".join(
            piece if isinstance(piece, str) else match.group(piece[0]) or "" for piece in pieces
        ),
        text,
    )


def _replacement(
    compiled: re.Pattern[str], replacement: str
) -> list[str | tuple[int] | tuple[str]]:
    pieces: list[str | tuple[int] | tuple[str]] = []
    index = 0
    while index < len(replacement):
        char = replacement[index]
        if char == "\\" and index + 1 < len(replacement):
            pieces.append(replacement[index + 1])
            index += 2
        elif char == "$":
            piece, index = _group_reference(compiled, replacement, index + 1)
            pieces.append(piece)
        else:
            pieces.append(char)
            index += 1
    return pieces


def _group_reference(
    compiled: re.Pattern[str], replacement: str, index: int
) -> tuple[tuple[int] | tuple[str], int]:
    named = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}").match(replacement, index)
    if named and named.group(1) in compiled.groupindex:
        return (named.group(1),), named.end()
    digits = re.compile(r"\d", re.ASCII).match(replacement, index)
    if digits is None:
        raise BadPattern(f"INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: {replacement}")
    group, index = int(digits.group()), digits.end()
    _check_group(compiled, group)
    # Java takes further digits as long as such a group exists.
    while index < len(replacement) and replacement[index] in "0123456789":
        longer = group * 10 + int(replacement[index])
        if longer > compiled.groups:
            break
        group, index = longer, index + 1
    return (group,), index


def split(text: str, pattern: str) -> list[str]:
    """``regexp_split``."""
    compiled = _usable(pattern, text)
    parts, last = [], 0
    for match in compiled.finditer(text):
        parts.append(text[last : match.start()])
        last = match.end()
    return [*parts, text[last:]]


def count(text: str, pattern: str) -> int:
    """``regexp_count``."""
    return sum(1 for _ in _usable(pattern, text).finditer(text))
