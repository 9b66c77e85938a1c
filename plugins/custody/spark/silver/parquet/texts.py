"""The rows of Parquet as texts: what the other formats have by themselves.

A value is the text that a contract's column reads as it, so that the same rules judge it; and a
row is one line of JSON, for quarantine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from custody.core.datasets.columns import Column
from custody.core.datasets.landed.text import MAX_LINE_BYTES

_TO_ESCAPE: Final = r'["\\\x00-\x1f\x7f]'
_QUOTED: Final = frozenset({"boolean", "date", "string", "timestamp"})


def texts_of(column: Column, values: Any) -> Any:
    """The texts of a column's values, trimmed; null where there is none."""
    match column.base_type:
        case "boolean":
            words = (column.true_values[0], column.false_values[0])
            return pc.if_else(values, *words)
        case "timestamp":
            return _moments(values)
        case "string":
            trimmed = pc.utf8_trim_whitespace(values)
            return pc.if_else(pc.equal(trimmed, ""), None, trimmed)
        case "date" | "int" | "bigint":
            return pc.cast(values, pa.string())
        case _:
            return _amounts(values)


def _amounts(values: Any) -> Any:
    """Decimals without an exponent, which Arrow gives those that are very small."""
    text = pc.cast(values, pa.string())
    if pc.any(pc.match_substring(text, "E")).as_py():
        return pa.array([None if v is None else f"{v:f}" for v in values.to_pylist()], pa.string())
    return text


def _moments(values: Any) -> Any:
    """Whole seconds as the contract writes them; what is finer keeps its fraction, which no
    contract's time has.
    """
    instants = pc.cast(values, pa.timestamp(values.type.unit))
    return pc.replace_substring_regex(
        pc.cast(instants, pa.string()), r"^(.{10}) (.{8})(\.0+)?$", r"\1T\2Z"
    )


def lines_of(columns: Sequence[Column], values: Sequence[Any], texts: Sequence[Any]) -> Any:
    """Each row as a line of JSON: strings as they came, and of all else the texts."""
    parts: list[Any] = []
    for number, (column, value, text) in enumerate(zip(columns, values, texts, strict=True)):
        name = json.dumps(column.name) + ": "
        lead = pa.scalar(("{" if number == 0 else ", ") + name)
        parts += [lead, _in_json(column, value if column.base_type == "string" else text)]
    parts.append(pa.scalar("}"))
    return pc.binary_join_element_wise(*parts, pa.scalar(""))


def _in_json(column: Column, texts: Any) -> Any:
    if column.base_type not in _QUOTED:
        return texts.fill_null("null")
    quoted = pc.binary_join_element_wise(pa.scalar('"'), texts, pa.scalar('"'), pa.scalar(""))
    odd = pc.match_substring_regex(texts, _TO_ESCAPE)
    if odd.true_count:
        escaped = [
            json.dumps(text, ensure_ascii=False) if is_odd else None
            for text, is_odd in zip(texts.to_pylist(), odd.to_pylist(), strict=True)
        ]
        quoted = pc.if_else(odd, pa.array(escaped, pa.string()), quoted)
    return quoted.fill_null("null")


def malformed(columns: Sequence[Column], texts: Sequence[Any], lines: Any) -> Any:
    """Which rows are malformed: longer than a line may be, or with a NUL, which no table holds."""
    found = pc.greater(pc.binary_length(lines), MAX_LINE_BYTES)
    for column, text in zip(columns, texts, strict=True):
        if column.base_type == "string":
            has_nul = pc.match_substring(text, "\0").fill_null(fill_value=False)
            found = pc.or_(found, has_nul)
    return found


def cut(lines: Any, malformed: Any) -> Any:
    """The lines, malformed ones no longer than a line may be."""
    short = [
        text.encode()[:MAX_LINE_BYTES].decode(errors="ignore") if is_malformed else None
        for text, is_malformed in zip(lines.to_pylist(), malformed.to_pylist(), strict=True)
    ]
    return pc.if_else(malformed, pa.array(short, pa.string()), lines)
