"""The words of a statement, for the Hive DDL that sqlglot's Trino grammar does not know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from localaws.athena.errors import QueryError, syntax_error
from localaws.athena.sql.parsing import place

T = TypeVar("T")
Kind = Literal["word", "quoted", "string", "number", "mark"]

_SKIP = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)+", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_STRING = re.compile(r"'((?:[^']|'')*)'")
_HIVE_STRING = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_BACKQUOTED = re.compile(r"`((?:[^`]|``)*)`")
_DOUBLE = re.compile(r'"((?:[^"]|"")*)"')
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `text` is unquoted, `start` and `end` are offsets in the statement."""

    kind: Kind
    text: str
    start: int
    end: int


def tokens(statement: str, *, hive: bool = False) -> Iterator[Token]:
    """The statement's tokens, comments left out; raises QueryError.

    In `hive` statements a backslash in a string escapes the next character, in Trino's it is a
    character like any other.
    """
    index = 0
    while True:
        skipped = _SKIP.match(statement, index)
        index = skipped.end() if skipped else index
        if index >= len(statement):
            return
        token = _token(statement, index, hive=hive)
        yield token
        index = token.end


def _token(statement: str, index: int, *, hive: bool) -> Token:
    char = statement[index]
    if match := _WORD.match(statement, index):
        return Token("word", match.group(), index, match.end())
    if match := _NUMBER.match(statement, index):
        return Token("number", match.group(), index, match.end())
    if match := _BACKQUOTED.match(statement, index):
        return Token("quoted", match.group(1).replace("``", "`"), index, match.end())
    if match := _DOUBLE.match(statement, index):
        return Token("quoted", match.group(1).replace('""', '"'), index, match.end())
    if match := (_HIVE_STRING if hive else _STRING).match(statement, index):
        raw = match.group(1)
        text = _ESCAPE.sub(_unescape, raw) if hive else raw.replace("''", "'")
        return Token("string", text, index, match.end())
    if char in "'`\"":
        raise syntax_error("a quote is never closed", place(statement, index))
    return Token("mark", char, index, index + 1)


_NAMED = {"t": "\t", "n": "\n", "r": "\r", "0": "\0"}


def _unescape(match: re.Match[str]) -> str:
    escaped = match.group(1)
    if escaped is None:
        return "'"
    return _NAMED.get(escaped, escaped)


class Cursor:
    """A place in the tokens of a statement, moved by what is expected there."""

    def __init__(self, statement: str, *, hive: bool = False) -> None:
        self.statement = statement
        self._hive = hive
        self._tokens = list(tokens(statement, hive=hive))
        while self._tokens and self._tokens[-1].text == ";" and self._tokens[-1].kind == "mark":
            self._tokens.pop()
        self._index = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._index >= len(self._tokens)

    @property
    def offset(self) -> int:
        """Where the next token starts."""
        return len(self.statement) if self.done else self._tokens[self._index].start

    def peek(self) -> Token | None:
        """The token to come."""
        return None if self.done else self._tokens[self._index]

    def error(self) -> QueryError:
        """What comes next is not what may come."""
        token, position = self.peek(), place(self.statement, self.offset)
        shown = self.statement[token.start : token.end] if token else "<EOF>"
        if self._hive:
            return QueryError("FAILED", f"ParseException {position} mismatched input '{shown}'")
        return syntax_error(f"mismatched input '{shown}'", position)

    def at(self, *words: str) -> bool:
        """Whether these words come next."""
        tokens = self._tokens[self._index : self._index + len(words)]
        return [t.text.upper() for t in tokens if t.kind == "word"] == list(words)

    def take(self, *words: str) -> bool:
        """Pass over these words if they come next."""
        found = self.at(*words)
        self._index += len(words) if found else 0
        return found

    def expect(self, *words: str) -> None:
        """Pass over these words; raises QueryError."""
        if not self.take(*words):
            raise self.error()

    def take_mark(self, mark: str) -> bool:
        """Pass over one character if it comes next."""
        token = self.peek()
        found = token is not None and token.kind == "mark" and token.text == mark
        self._index += found
        return found

    def expect_mark(self, mark: str) -> None:
        """Pass over one character; raises QueryError."""
        if not self.take_mark(mark):
            raise self.error()

    def next(self, *kinds: Kind) -> Token:
        """The next token, which must be of one of these kinds, if any; raises QueryError."""
        token = self.peek()
        if token is None or (kinds and token.kind not in kinds):
            raise self.error()
        self._index += 1
        return token

    def identifier(self) -> str:
        """A name, in lower case."""
        return self.next("word", "quoted").text.lower()

    def string(self) -> str:
        """A string literal's value."""
        return self.next("string").text

    def finish(self) -> None:
        """Nothing may be left; raises QueryError."""
        if not self.done:
            raise self.error()

    def listed(self, item: Callable[[], T]) -> list[T]:
        """``( item, … )``."""
        self.expect_mark("(")
        found = [item()]
        while not self.take_mark(")"):
            self.expect_mark(",")
            found.append(item())
        return found
