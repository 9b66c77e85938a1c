"""Cases in the hands of a forger: members changed, and everything else made to fit."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from custody.core.case.manifest import KEYS, MANIFEST
from custody.reading.archive import measure, write_archive

Members = dict[str, bytes]


def members_of(case: Path) -> Members:
    with zipfile.ZipFile(case) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repack(case: Path, change: Callable[[Members], None], *, manifest: bool = True) -> None:
    """Forge a case: change members and make everything else fit."""
    members = members_of(case)
    change(members)
    if manifest:
        document = json.loads(members.pop(MANIFEST))
        document["members"] = {
            name: {"sha256": measure(content).sha256, "size": measure(content).size}
            for name, content in members.items()
        }
        members[MANIFEST] = (
            json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
        )
    with case.open("wb") as file:
        write_archive(file, members)


def say(members: Members, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the manifest says; `repack` gives it its form."""
    document = json.loads(members[MANIFEST])
    change(document)
    members[MANIFEST] = json.dumps(document).encode()


def leave_out(members: Members, name: str) -> None:
    """Take a member out, with every mention of it and whatever is not mentioned then."""

    def forget(document: dict[str, Any]) -> None:
        trail, seal = document.get("trail", {}), document.get("seal", {})
        filed = [document["lineage"], *(item["records"] for item in document["objects"])]
        for part in (
            *filed,
            trail.get("digests", []),
            trail.get("logs", []),
            seal.get("entries", []),
        ):
            part[:] = [item for item in part if item["member"] != name]
        for item in (item for part in (*filed, document["objects"]) for item in part):
            for field in ("proof", "content"):
                if item.get(field) == name:
                    del item[field]
        if name in (seal.get("appends"), seal.get("checkpoint")):
            del document["seal"]

    say(members, forget)
    used = _mentioned(json.loads(members[MANIFEST])) | {MANIFEST, KEYS}
    for other in members.keys() - used:
        del members[other]


def _mentioned(part: Any) -> set[str]:
    """Every text in a document, its list of members left out."""
    if isinstance(part, dict):
        return set().union(*(_mentioned(v) for k, v in part.items() if k != "members"))
    if isinstance(part, list):
        return set().union(*map(_mentioned, part))
    return {part} if isinstance(part, str) else set()
