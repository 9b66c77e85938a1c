"""S3 writes that a kill may cut in two, and the locks ministack keeps in memory only.

ministack puts an object's bytes and its sidecar on disk itself, one file after the other, before it
answers. `WriteJournal` notes every write before it begins and when it was answered. After a kill,
`settle` makes each write that was never answered whole or undone. CloudTrail decides which: a write
it has on record happened, and its notifications are queued again; any other did not, and leaves
nothing behind. The caller was told neither, and repeats it.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

from ministack.core.responses import request_scope
from ministack.services import s3

from localaws.server.wire import Head

log = logging.getLogger("localaws.durability.s3writes")

OnRecord = Callable[[str, str, str], bool]
"""Whether CloudTrail has a write on record: bucket, key, version id (`null` if unversioned).

If it has, it queues the write's notifications again: nobody knows how far they came.
"""

_SIDECAR = ".meta.json"
_S3_XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes objects of one bucket, or the locks on them."""

    kind: Literal["object", "batch", "lock"]
    bucket: str
    keys: tuple[str, ...]

    @classmethod
    def of(cls, head: Head) -> Write | None:
        """The write an S3 request asks for; None for reads and for bucket configuration.

        A batch delete names its keys in its body: `with_keys` adds them.
        """
        bucket, _, key = head.path.removeprefix("/").partition("/")
        if head.method in ("GET", "HEAD") or not bucket:
            return None
        if not key:
            is_batch = head.method == "POST" and "delete" in head.query
            return cls("batch", bucket, ()) if is_batch else None
        if "retention" in head.query or "legal-hold" in head.query:
            return cls("lock", bucket, (key,))
        return cls("object", bucket, (key,))

    def with_keys(self, body: bytes) -> Write:
        """A batch delete with the keys its body names; ministack refuses a malformed body."""
        try:
            document = ET.fromstring(body)  # noqa: S314 - bounded, and from this machine
        except ET.ParseError:
            return self
        found = [
            element.text
            for name in (f"{_S3_XML}Object/{_S3_XML}Key", "Object/Key")
            for element in document.findall(name)
        ]
        return Write(self.kind, self.bucket, tuple(sorted({key for key in found if key})))


class WriteJournal:
    """Journal entries of the writes under way. `account_id` owns every bucket."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._next = 0
        self._open: dict[int, list[dict[str, Any]]] = {}

    def begin(self, write: Write) -> tuple[int, list[dict[str, Any]]]:
        """The number of a write that begins now, and its entries."""
        self._next += 1
        entries = [
            {
                "t": "begin",
                "n": self._next,
                "bucket": write.bucket,
                "key": key,
                "before": [v["version_id"] for v in self._versions(write.bucket, key)],
            }
            for key in write.keys
        ]
        self._open[self._next] = entries
        return self._next, entries

    def end(self, number: int, version_id: str | None) -> list[dict[str, Any]]:
        """The entries with which a write counts as answered.

        They name the versions it made: the one the answer named, else all that are new since.
        """
        begun = self._open.pop(number)
        ended = []
        for entry in begun:
            bucket, key = entry["bucket"], entry["key"]
            made = [version_id] if version_id else self._new(entry)
            ended.append({"t": "end", "n": number, "bucket": bucket, "key": key, "made": made})
            self._let_go_of_bytes(bucket, key)
            # A slower write of the same key must not be blamed for these.
            for other in self.open():
                if (other["bucket"], other["key"]) == (bucket, key):
                    other["before"] += made
        return ended

    def _let_go_of_bytes(self, bucket: str, key: str) -> None:
        """Free what is on disk: ministack keeps the bytes of every version in memory as well."""
        objects = (_get(s3._buckets, self._account_id, bucket) or {"objects": {}})["objects"]  # noqa: SLF001
        on_disk = key in objects and objects[key].get("body") is None
        if on_disk and (versions := self._versions(bucket, key)):
            versions[-1]["data"] = None

    def abandon(self, number: int) -> None:
        """Forget a write that ended without an answer; nothing when it was answered."""
        self._open.pop(number, None)

    def open(self) -> list[dict[str, Any]]:
        """The entries of the writes under way, to begin a new journal with."""
        return [entry for entries in self._open.values() for entry in entries]

    def locks(self, write: Write) -> list[dict[str, Any]]:
        """The locks on the newest version of each key, or on all of it for a lock request."""
        entries = []
        for key in write.keys:
            versions = self._versions(write.bucket, key)
            for version in versions if write.kind == "lock" else versions[-1:]:
                where = (write.bucket, key, version["version_id"])
                retention = _get(s3._object_retention, self._account_id, where)  # noqa: SLF001
                hold = _get(s3._object_legal_hold, self._account_id, where)  # noqa: SLF001
                if retention or hold:
                    entries.append({"where": list(where), "retention": retention, "hold": hold})
        return entries

    def _new(self, entry: dict[str, Any]) -> list[str]:
        ids = [v["version_id"] for v in self._versions(entry["bucket"], entry["key"])]
        return [version_id for version_id in ids if version_id not in entry["before"]]

    def _versions(self, bucket: str, key: str) -> list[dict[str, Any]]:
        return _versions(self._account_id, bucket, key)


def restore_locks(account_id: str, entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put locks back on the versions that still exist; returns the entries that held, the newest.

    To be called when ministack has its objects back, before anything is served.
    """
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for entry in entries:
        bucket, key, version_id = entry["where"]
        newest[bucket, key, version_id] = entry
    kept = []
    for (bucket, key, version_id), entry in newest.items():
        where = (bucket, key, version_id)
        if all(v["version_id"] != version_id for v in _versions(account_id, bucket, key)):
            continue
        if entry["retention"]:
            s3._object_retention.set_scoped(account_id, None, where, entry["retention"])  # noqa: SLF001
        if entry["hold"]:
            s3._object_legal_hold.set_scoped(account_id, None, where, entry["hold"])  # noqa: SLF001
        kept.append(entry)
    return kept


def settle(
    account_id: str, region: str, entries: Iterable[dict[str, Any]], on_record: OnRecord
) -> list[str]:
    """Finish or undo the writes that were never answered; returns the version ids undone.

    `entries` is the whole journal. To be called when ministack has its objects and their locks
    back, before anything is served.
    """
    begun: dict[tuple[int, str], dict[str, Any]] = {}
    answered: set[str] = set()
    for entry in entries:
        if entry["t"] == "begin":
            begun[entry["n"], entry["key"]] = entry
        elif entry["t"] == "end":
            begun.pop((entry["n"], entry["key"]), None)
            answered.update(entry["made"])
    undone: list[str] = []
    with request_scope(account_id, region):
        for entry in begun.values():
            bucket, key = entry["bucket"], entry["key"]
            if s3._buckets.get(bucket) is None:  # noqa: SLF001
                continue
            _mend_files(bucket, key)
            known = {*entry["before"], *answered}
            for version in reversed(list(_versions(account_id, bucket, key))):
                version_id = version["version_id"]
                if version_id in known or on_record(bucket, key, version_id):
                    continue
                log.warning("undoing the unfinished write of %s/%s (%s)", bucket, key, version_id)
                s3._delete_object_version(s3._buckets[bucket], bucket, key, version_id)  # noqa: SLF001
                undone.append(version_id)
    return undone


def _mend_files(bucket: str, key: str) -> None:
    """Make an object's bytes and its sidecar agree, when only the bytes were replaced in time."""
    found = s3._object_disk_path(bucket, key)  # noqa: SLF001
    data = Path(found)
    sidecar = Path(found + _SIDECAR)
    if not data.is_file():
        return
    record = s3._buckets[bucket]["objects"].get(key)  # noqa: SLF001
    if not sidecar.is_file():
        log.warning("dropping the unfinished first write of %s/%s", bucket, key)
        s3._buckets[bucket]["objects"].pop(key, None)  # noqa: SLF001
        data.unlink()
        return
    if data.stat().st_mtime_ns <= sidecar.stat().st_mtime_ns or record is None:
        return
    version_id = record.get("version_id")
    kept = s3._version_disk_path(bucket, key, version_id) if version_id else None  # noqa: SLF001
    if kept is not None and Path(kept).is_file():
        # The write set the former bytes aside before it replaced them.
        _copy(Path(kept), data)
        os.utime(sidecar)
    elif version_id:
        # The deletion of the current version had brought the bytes of the one before back.
        s3._delete_object_version(s3._buckets[bucket], bucket, key, version_id)  # noqa: SLF001
    else:
        # Not versioned: the new bytes are all there is.
        content = data.read_bytes()
        record["size"] = len(content)
        record["etag"] = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        s3._persist_object(bucket, key, record)  # noqa: SLF001


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(target.name + ".tmp")
    partial.write_bytes(source.read_bytes())
    partial.replace(target)


def _versions(account_id: str, bucket: str, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _get(s3._object_versions, account_id, (bucket, key)) or []  # noqa: SLF001
    return found


def _get(store: Any, account_id: str, key: str | tuple[str, ...]) -> Any:
    return store.get_scoped(account_id, None, key)
