"""The files that a run wrote, as it names them: a later run takes no others for what was checked.

A cache of checks is Parquet in the analytics bucket,
`<table>/dt=<day>/judged=<day>/run=<run id>/…`: of a day's records or statements, written by the run
of that id, which judged on that other day. Nothing there is believed for lying there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from custody.core.formats.s3_fields import object_key
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.runs.model import RUN_ID

MAX_FILES_BYTES: Final = 16 * 1024 * 1024
_MAX_FILES: Final = 100_000

_FOLDER: Final = re.compile(r"[^/]+/dt=[^/]+/judged=([^/]+)/run=([^/]+)/[^/]+\.parquet", re.ASCII)


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file: the version of it that a run wrote, and its SHA-256."""

    key: str
    version_id: str
    sha256: str


def cache_folder(table: str, day: date, *, judged: date, run_id: str) -> str:
    """Where a run puts what it checked of `day`; `table` ends in a slash."""
    return f"{table}dt={day}/judged={judged}/run={run_id}/"


def verdicts_folder(run_id: str, hour: tuple[str, str]) -> str:
    """Where a run of `reconcile` puts the verdicts about an hour (`dt` and `hour`), without a
    slash at its end."""
    return f"reconciliation/run={run_id}/dt={hour[0]}/hour={hour[1]}"


def writer_of(key: str) -> tuple[date, str] | None:
    """The day of judging and the id of the run that a cache's key names; None if it names none."""
    match = _FOLDER.fullmatch(key)
    if match is None or not RUN_ID.fullmatch(match[2]):
        return None
    try:
        return date.fromisoformat(match[1]), match[2]
    except ValueError:
        return None


def files_to_bytes(files: Iterable[WrittenFile]) -> bytes:
    """The list of the files that a run wrote, as JSON in one form."""
    listed = [[file.key, file.version_id, file.sha256] for file in sorted(files, key=_by_key)]
    return json.dumps({"v": 1, "files": listed}, ensure_ascii=False, separators=(",", ":")).encode()


def files_from_bytes(raw: bytes) -> Mapping[str, WrittenFile]:
    """The files in such a list, by key; raises `MalformedInput`."""
    fields = Fields.of(load_json(raw, what="files", max_bytes=MAX_FILES_BYTES), "files")
    if fields.count("v") != 1:
        raise MalformedInput("files.v", "this program knows 1")
    return {
        file.key: file
        for i, item in enumerate(fields.items("files", max_items=_MAX_FILES))
        for file in (_file(item, f"files[{i}]"),)
    }


def _file(item: object, where: str) -> WrittenFile:
    if not isinstance(item, list) or len(item) != len(WrittenFile.__slots__):
        raise MalformedInput(where, "must be a key, a version id and a SHA-256")
    fields = Fields(dict(zip(WrittenFile.__slots__, item, strict=True)), where)
    return WrittenFile(
        object_key(fields, "key"), fields.text("version_id"), fields.sha256("sha256")
    )


def _by_key(file: WrittenFile) -> str:
    return file.key
