"""YAML as plain data that knows its lines.

The part of YAML that says data and nothing else: no anchors and aliases (a few lines of them name
more values than fit in memory), no tags, no second document, no name twice in a mapping, and no
names but texts. What is written twice would be read once, and nobody could tell which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

MAX_CHARACTERS: Final = 1_000_000
MAX_DEPTH: Final = 32

Path = tuple[str | int, ...]


class YamlError(ValueError):
    """The text cannot be read; the message says what is wrong with `line` (from 1)."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(line, problem)
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class YamlText:
    """What a text says, and on which line each value begins, by its path."""

    value: Any
    lines: Mapping[Path, int]

    def line_of(self, path: Path) -> int:
        """The line of what is at a path, or of what would hold it where it is missing."""
        return next(
            (self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 1
        )


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read, and the name that the next value of a mapping has."""

    path: Path
    value: dict[str, Any] | list[Any]
    name: str | None = None


@dataclass(slots=True)
class _Reading:
    """The state between two events of a parser."""

    scalars: Any = field(default_factory=lambda: yaml.SafeLoader(""))
    lines: dict[Path, int] = field(default_factory=dict)
    opened: list[_Open] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError(line, "anchors and aliases are not read: write the value out")
        match event:
            case yaml.DocumentStartEvent() if self.documents:
                raise YamlError(line, "a second document is not read")
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.opened.pop()
            case yaml.ScalarEvent():
                self._scalar(event, line)

    def _open(self, event: Any, line: int) -> None:
        if event.tag is not None:
            raise YamlError(line, f"the tag {event.tag} is not read")
        if len(self.opened) == MAX_DEPTH:
            raise YamlError(line, f"more than {MAX_DEPTH} levels deep")
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.opened.append(_Open(self._add(value, line), value))

    def _scalar(self, event: Any, line: int) -> None:
        if event.tag is not None:
            raise YamlError(line, f"the tag {event.tag} is not read")
        tag = self.scalars.resolve(yaml.ScalarNode, event.value, event.implicit)
        try:
            value = self.scalars.construct_object(yaml.ScalarNode(tag, event.value))
        except (ValueError, yaml.YAMLError) as error:
            raise YamlError(line, f"{event.value!r} is no value") from error
        within = self.opened[-1] if self.opened else None
        if within is None or isinstance(within.value, list) or within.name is not None:
            self._add(value, line)
        elif not isinstance(value, str):
            raise YamlError(line, f"{event.value!r} is not a text: quote it to use it as a name")
        elif value in within.value:
            raise YamlError(line, f"{value} appears twice")
        else:
            within.name = value
            self.lines[(*within.path, value)] = line

    def _add(self, value: Any, line: int) -> Path:
        """Put a value where it belongs; return its path."""
        if not self.opened:
            self.documents.append(value)
            return ()
        within = self.opened[-1]
        if isinstance(within.value, list):
            within.value.append(value)
            path: Path = (*within.path, len(within.value) - 1)
        elif within.name is None:
            raise YamlError(line, "a mapping or list is not a name")
        else:
            within.value[within.name] = value
            path, within.name = (*within.path, within.name), None
        self.lines.setdefault(path, line)
        return path


def read_yaml(text: str) -> YamlText:
    """The one document in a text; None as its value if there is none. Raises `YamlError`."""
    if len(text) > MAX_CHARACTERS:
        raise YamlError(1, f"more than {MAX_CHARACTERS} characters")
    reading = _Reading()
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            reading.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(
            1 if mark is None else mark.line + 1, f"not YAML: {error.problem}"
        ) from error
    except yaml.YAMLError as error:
        raise YamlError(1, f"not YAML: {error}") from error
    return YamlText(reading.documents[0] if reading.documents else None, reading.lines)


# The C parser is 15 times as fast, and every wheel of PyYAML has it.
_PARSER: Any = yaml.CSafeLoader
