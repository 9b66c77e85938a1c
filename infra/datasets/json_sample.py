"""What a sample of JSON lines says of its columns: the same that a CSV file of its values does.

An array of objects is a table of its own, whose columns its items say as rows do.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from infra.datasets.sample import BadSample, Found, FoundArray, Sample, csv_columns, lines_of

SUFFIXES: Final = frozenset({".json", ".jsonl", ".ndjson"})

_Object = dict[str, Any]


class _Number(str):
    """A number as it stands there."""

    __slots__ = ()


def read_json_sample(path: Path) -> Sample:
    """What a file of JSON lines says, its columns in the order in which they come; raises
    BadSample.
    """
    rows = list(_rows(path))
    kinds = _kinds(enumerate(rows, start=1), path)
    arrays = [name for name, kind in kinds.items() if kind is list]
    return Sample(
        "json",
        _columns(rows, {n: kind for n, kind in kinds.items() if n not in arrays}, path),
        tuple(_array(rows, name, path) for name in arrays),
    )


def _kinds(rows: Iterable[tuple[int, _Object]], path: Path) -> dict[str, type]:
    """Which kind of value each member has, in all rows (beside their line)."""
    kinds: dict[str, type] = {}
    names: dict[str, None] = {}
    for line, row in rows:
        for name, value in row.items():
            names[name] = None
            kind = kinds.setdefault(name, type(value)) if value is not None else None
            if kind not in {None, type(value)}:
                raise BadSample(f"{path}, line {line}: {name} is of another kind than before")
            if kind is dict:
                raise BadSample(f"{path}, line {line}: {name} is nested, and has no table")
    if unknown := names.keys() - kinds.keys():
        raise BadSample(f"{path}: {', '.join(sorted(unknown))} is null in every row")
    if "" in names or len(set(map(str.lower, names))) < len(names):
        raise BadSample(f"{path}: a column has no name, or that of another: {list(names)[:50]}")
    return kinds


def _columns(rows: Sequence[_Object], kinds: dict[str, type], path: Path) -> tuple[Found, ...]:
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(kinds), quoting=csv.QUOTE_NOTNULL)
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _as_text(row.get(name)) for name in kinds})
        file.flush()
        columns = csv_columns(Path(file.name))
    for column in columns:
        if column.type == "string" and kinds[column.name] is not str:
            raise BadSample(f"{path}: {column.name} has numbers that no contract reads")
    return columns


def _as_text(value: Any) -> Any:
    return str(value).lower() if value in (True, False) else value


def _array(rows: Sequence[_Object], name: str, path: Path) -> FoundArray:
    items: list[tuple[int, _Object]] = []
    for line, row in enumerate(rows, start=1):
        for item in row.get(name) or ():
            if not isinstance(item, dict):
                raise BadSample(f"{path}, line {line}: {name} has an item that is no object")
            items.append((line, item))
    if not items:
        raise BadSample(f"{path}: {name} has no item in any row")
    kinds = _kinds(items, path)
    if list in kinds.values():
        raise BadSample(f"{path}: {name} has arrays in its items, which have no table")
    counts = [len(row[name]) for row in rows if row.get(name) is not None]
    columns = _columns([item for _, item in items], kinds, path)
    return FoundArray(name, len(counts) < len(rows), min(counts), max(counts), columns)


def _rows(path: Path) -> Iterator[_Object]:
    decode = json.JSONDecoder(parse_int=_Number, parse_float=_Number).decode
    lines = lines_of(path)
    if not lines[-1]:
        lines.pop()
    if not lines:
        raise BadSample(f"{path}: there is no row in it")
    for number, line in enumerate(lines, start=1):
        try:
            row = decode(line)
        except ValueError as error:
            raise BadSample(f"{path}, line {number}: {error}; each line is one object") from error
        if not isinstance(row, dict):
            raise BadSample(f"{path}, line {number}: expected an object: each line is one")
        yield row
