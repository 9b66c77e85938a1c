r"""Patterns of a contract: one dialect with one meaning, matched in one step a character.

The Open Data Contract Standard says of `pattern` that it follows ECMA-262. Read here is the part of
it that has no room for interpretation: characters, classes, groups, alternatives and repetitions
between `^` and `$`; `\d`, `\w` and `\s` are ECMA-262's. It must be deterministic: at most one place
of the pattern can read the next character of a value (the rule that XML 1.0, appendix E, has for
content models). So a match never goes back to try again, and its time and memory are bounded by
the length of the value, whoever wrote it. Everything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

MAX_PATTERN: Final = 1_000
"""Characters of a pattern."""

MAX_PLACES: Final = 2_000
"""Places at which a pattern reads a character, each repetition counted."""

_MAX_DEPTH: Final = 20

Ranges = tuple[tuple[int, int], ...]
"""Characters, as ranges of code points in order, both ends included."""


class PatternError(ValueError):
    """A pattern that is not read; the message says what of it."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """What a value must match from end to end (`fullmatch`); raises `PatternError`."""
    if len(text) > MAX_PATTERN:
        raise PatternError(f"more than {MAX_PATTERN} characters")
    if not (text.startswith("^") and text.endswith("$")):
        raise PatternError("it has to say what the whole value is: begin with ^ and end with $")
    parser = _Parser(text[1:-1])
    whole = parser.sequence()
    if parser.rest.startswith("|"):
        raise PatternError("alternatives belong in a group: ^(a|b)$")
    if parser.rest:
        raise PatternError("a ) closes nothing")
    for candidates in (whole.first, *parser.following):
        _check_one_way(candidates, parser.places)
    return re.compile(whole.text)


def in_re2(compiled: re.Pattern[str]) -> str:
    """What `compile_pattern` gave, as RE2 (and Rust, and Go) spell it; to be found anywhere.

    A match is the same: RE2 has no possessive repetition, as it never goes back in any case.
    """
    spelled = _POSSESSIVE.sub(r"\1", _CHARACTER.sub(r"\\x{\1}", compiled.pattern))
    return f"^(?:{spelled})$"


_CHARACTER = re.compile(r"\\U([0-9a-f]{8})")
_POSSESSIVE = re.compile(r"([*+?}])\+")
_MOST = 0x10FFFF


def _set(*ranges: str) -> Ranges:
    return tuple(sorted((ord(r[0]), ord(r[-1])) for r in ranges))


def _other_than(ranges: Ranges) -> Ranges:
    found, begin = [], 0
    for low, high in ranges:
        if begin < low:
            found.append((begin, low - 1))
        begin = max(begin, high + 1)
    return (*found, (begin, _MOST)) if begin <= _MOST else tuple(found)


def _union(sets: Iterable[Ranges]) -> Ranges:
    return tuple(sorted(pair for ranges in sets for pair in ranges))


# ECMA-262: CharacterClassEscape, WhiteSpace and LineTerminator.
_DIGIT = _set("09")
_WORD = _set("09", "AZ", "_", "az")
_SPACE = _set(
    *("\t\r", " ", "\u00a0", "\u1680", "\u2000\u200a", "\u2028\u2029"),
    *("\u202f", "\u205f", "\u3000", "\ufeff"),
)
_CLASSES: Final[Mapping[str, Ranges]] = {
    "d": _DIGIT,
    "w": _WORD,
    "s": _SPACE,
    "D": _other_than(_DIGIT),
    "W": _other_than(_WORD),
    "S": _other_than(_SPACE),
}
_ANY = _other_than(_set("\n", "\r", "\u2028\u2029"))
_CONTROL: Final = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|")
_UNICODE = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_COUNT = re.compile(r"\{([0-9]{1,4})(,([0-9]{1,4})?)?\}")


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern: the places that may read its first and its last character."""

    text: str
    empty: bool
    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()


_NOTHING = _Part("", empty=True)


class _Parser:
    """Reads a pattern into places, and which of them may follow one another (Glushkov's automaton).

    The expression that Python is given spells its classes out, so that they mean what they mean in
    ECMA-262, and is possessive: as nothing can be read in two ways, nothing is ever given back.
    """

    def __init__(self, text: str) -> None:
        self.rest = text
        self.places: list[Ranges] = []
        self.following: list[set[int]] = []
        self._depth = 0

    def sequence(self) -> _Part:
        """Parts one after another, up to a | or ) or the end."""
        whole = _NOTHING
        while self.rest and self.rest[0] not in "|)":
            whole = self._then(whole, self._repeated())
        return whole

    def _alternatives(self) -> _Part:
        parts = [self.sequence()]
        while self._take("|"):
            parts.append(self.sequence())
        if any(not part.text for part in parts):
            raise PatternError("a group or an alternative is empty; use ? for what may be missing")
        return _Part(
            f"(?:{'|'.join(part.text for part in parts)})",
            any(part.empty for part in parts),
            frozenset().union(*(part.first for part in parts)),
            frozenset().union(*(part.last for part in parts)),
        )

    def _repeated(self) -> _Part:
        begin = self.rest
        part = self._atom()
        least, most, sign = self._quantifier()
        if not sign:
            return part
        if part.empty:
            raise PatternError(f"what is repeated with {sign} may be empty")
        after = self.rest

        def again() -> _Part:
            self.rest = begin
            return self._atom()

        repeated = self._times(part, again, least, most)
        self.rest = after
        return _Part(f"{part.text}{sign}+", repeated.empty, repeated.first, repeated.last)

    def _times(
        self, part: _Part, again: Callable[[], _Part], least: int, most: int | None
    ) -> _Part:
        copies = [part, *(again() for _ in range((most or max(least, 1)) - 1))]
        if most is None:  # the last of them as often as it comes
            self._link(copies[-1].last, copies[-1].first)
        optional = _NOTHING
        for copy in reversed(copies[least:]):
            both = self._then(copy, optional)
            optional = _Part(both.text, empty=True, first=both.first, last=both.last)
        return reduce(self._then, [*copies[:least], optional])

    def _then(self, one: _Part, other: _Part) -> _Part:
        self._link(one.last, other.first)
        return _Part(
            one.text + other.text,
            one.empty and other.empty,
            one.first | other.first if one.empty else one.first,
            one.last | other.last if other.empty else other.last,
        )

    def _link(self, last: Iterable[int], first: Iterable[int]) -> None:
        for place in last:
            self.following[place].update(first)

    def _quantifier(self) -> tuple[int, int | None, str]:
        """Least, most (None: any number), and how it is written; nothing where there is none."""
        sign = self.rest[:1]
        bounds: tuple[int, int | None] = (1, 1)
        if sign in {"*", "+", "?"}:
            bounds = (int(sign == "+"), 1 if sign == "?" else None)
        elif sign == "{":
            found = _COUNT.match(self.rest)
            if found is None:
                raise PatternError("a { has to begin a count such as {2}, {2,} or {2,5}")
            sign, least = found[0], int(found[1])
            bounds = (least, least if found[2] is None else int(found[3]) if found[3] else None)
            if bounds[1] is not None and not 1 <= bounds[1] >= least:
                raise PatternError(f"{sign} allows nothing")
        else:
            return 1, 1, ""
        self.rest = self.rest[len(sign) :]
        if self.rest[:1] in {"?", "+", "*", "{"} and self.rest:
            raise PatternError(
                f"{sign}{self.rest[0]} is not read: one quantifier a part, and greedy"
            )
        return (*bounds, sign)

    def _atom(self) -> _Part:
        char, self.rest = self.rest[0], self.rest[1:]
        match char:
            case "(":
                return self._group()
            case "[":
                return self._place(self._class())
            case ".":
                return self._place(_ANY)
            case "\\":
                return self._place(self._escape())
            case "^" | "$":
                raise PatternError(f"{char} is read at the pattern's own ends only")
            case _ if char in _SYNTAX:
                raise PatternError(f"a {char} stands where nothing is before it")
        return self._place(_set(char))

    def _group(self) -> _Part:
        if self._depth == _MAX_DEPTH:
            raise PatternError(f"groups in more than {_MAX_DEPTH} groups")
        if not self._take("?:") and self.rest.startswith("?"):
            raise PatternError(
                f"({self.rest[:3]} is not read: groups have no names, flags or looks"
            )
        self._depth += 1
        part = self._alternatives()
        self._depth -= 1
        if not self._take(")"):
            raise PatternError("a ( is not closed")
        return part

    def _class(self) -> Ranges:
        negated, sets = self._take("^"), []
        while not self._take("]"):
            one = self._member()
            if self.rest.startswith("-") and not self.rest.startswith("-]"):
                self._take("-")
                other = self._member()
                if not _is_range(one, other):
                    raise PatternError("a range in [] has to go from one character to a later one")
                one = ((one[0][0], other[0][0]),)
            sets.append(one)
        if not sets:
            raise PatternError("[] is empty")
        return _other_than(_union(sets)) if negated else _union(sets)

    def _member(self) -> Ranges:
        if not self.rest:
            raise PatternError("a [ is not closed")
        char, self.rest = self.rest[0], self.rest[1:]
        return self._escape() if char == "\\" else _set(char)

    def _escape(self) -> Ranges:
        if found := _UNICODE.match(self.rest):
            self.rest = self.rest[found.end() :]
            return _set(chr(int(found[1] or found[2], 16)))
        char, self.rest = self.rest[:1], self.rest[1:]
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _CONTROL:
            return _set(_CONTROL[char])
        if char and (char in _SYNTAX or char in "/-"):
            return _set(char)
        raise PatternError(f"\\{char} is not read")

    def _place(self, ranges: Ranges) -> _Part:
        if len(self.places) == MAX_PLACES:
            raise PatternError(f"its repetitions make more than {MAX_PLACES} characters of it")
        here = frozenset({len(self.places)})
        self.places.append(ranges)
        self.following.append(set())
        spelled = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
        return _Part(f"[{spelled}]", empty=False, first=here, last=here)

    def _take(self, text: str) -> bool:
        found = self.rest.startswith(text)
        if found:
            self.rest = self.rest[len(text) :]
        return found


def _is_range(one: Ranges, other: Ranges) -> bool:
    singles = all(len(ends) == 1 and ends[0][0] == ends[0][1] for ends in (one, other))
    return singles and one[0][0] <= other[0][0]


def _check_one_way(candidates: Iterable[int], places: list[Ranges]) -> None:
    """Raise PatternError if two of the places that may come next read one character."""
    spans = sorted((low, high, place) for place in candidates for low, high in places[place])
    reached, reader = -1, -1
    for low, high, place in spans:
        if low <= reached and place != reader:
            raise PatternError(
                f"it can read {chr(low)!r} in two ways at one place, so that a match might have to "
                "go back: say apart what may follow there"
            )
        if high > reached:
            reached, reader = high, place
