"""The words of a statement, for the Hive DDL that sqlglot's Trino grammar does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from localaws.athena.errors import QueryError, syntax_error
from localaws.athena.parsing import place

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

    def peek(self, ahead: int = 0) -> Token | None:
        """A token to come."""
        index = self._index + ahead
        return self._tokens[index] if index < len(self._tokens) else None

    def error(self) -> QueryError:
        """What comes next is not what may come."""
        token = self.peek()
        shown = self.statement[token.start : token.end] if token else "<EOF>"
        return QueryError(
            "FAILED",
            f"ParseException {place(self.statement, self.offset)} mismatched input '{shown}'",
        )

    def at(self, *words: str) -> bool:
        """Whether these words come next."""
        for ahead, word in enumerate(words):
            token = self.peek(ahead)
            if token is None or token.kind != "word" or token.text.upper() != word:
                return False
        return True

    def take(self, *words: str) -> bool:
        """Pass over these words if they come next."""
        if not self.at(*words):
            return False
        self._index += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Pass over these words; raises QueryError."""
        if not self.take(*words):
            raise self.error()

    def take_mark(self, mark: str) -> bool:
        """Pass over one character if it comes next."""
        token = self.peek()
        if token is None or token.kind != "mark" or token.text != mark:
            return False
        self._index += 1
        return True

    def expect_mark(self, mark: str) -> None:
        """Pass over one character; raises QueryError."""
        if not self.take_mark(mark):
            raise self.error()

    def next(self) -> Token:
        """The next token; raises QueryError at the end."""
        token = self.peek()
        if token is None:
            raise self.error()
        self._index += 1
        return token

    def identifier(self) -> str:
        """A name, in lower case."""
        token = self.peek()
        if token is None or token.kind not in ("word", "quoted"):
            raise self.error()
        self._index += 1
        return token.text.lower()

    def string(self) -> str:
        """A string literal's value."""
        token = self.peek()
        if token is None or token.kind != "string":
            raise self.error()
        self._index += 1
        return token.text

    def finish(self) -> None:
        """Nothing may be left; raises QueryError."""
        if not self.done:
            raise self.error()

    def group(self) -> tuple[int, int]:
        """Pass over ``( … )``; the offsets of what is inside."""
        self.expect_mark("(")
        start, depth = self.offset, 1
        while True:
            token = self.next()
            if token.kind == "mark" and token.text in "()":
                depth += 1 if token.text == "(" else -1
                if depth == 0:
                    return start, token.start
