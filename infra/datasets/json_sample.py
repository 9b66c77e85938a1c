"""What a sample of JSON lines says of its columns: the same that a CSV file of its values does."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from infra.datasets.sample import BadSample, Found, read_sample

SUFFIXES: Final = frozenset({".json", ".jsonl", ".ndjson"})


class _Number(str):
    """A number as it stands there."""

    __slots__ = ()


def read_json_sample(path: Path) -> tuple[Found, ...]:
    """The columns of a file of JSON lines, in the order in which they come; raises BadSample."""
    rows = list(_rows(path))
    kinds: dict[str, type] = {}
    for number, row in enumerate(rows, start=1):
        for name, value in row.items():
            kind = kinds.setdefault(name, type(value)) if value is not None else None
            if kind not in {None, type(value)}:
                raise BadSample(f"{path}, line {number}: {name} is of another kind than before")
    if unknown := {name for row in rows for name in row} - kinds.keys():
        raise BadSample(f"{path}: {', '.join(sorted(unknown))} is null in every row")
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(kinds), quoting=csv.QUOTE_NOTNULL)
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {n: str(v).lower() if v in (True, False) else v for n, v in row.items()}
            )
        file.flush()
        columns = read_sample(Path(file.name))
    for column in columns:
        if column.type == "string" and kinds[column.name] is not str:
            raise BadSample(f"{path}: {column.name} has numbers that no contract reads")
    return columns


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    decode = json.JSONDecoder(parse_int=_Number, parse_float=_Number).decode
    text = path.read_text("utf-8").removesuffix("\n")
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            row = decode(line)
        except ValueError as error:
            raise BadSample(f"{path}, line {number}: {error}") from error
        if not isinstance(row, dict):
            raise BadSample(f"{path}, line {number}: expected an object")
        for name, value in row.items():
            if isinstance(value, list | dict):
                raise BadSample(f"{path}, line {number}: {name} is nested, and has no table")
        yield row
