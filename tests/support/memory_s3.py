"""S3 in memory: as much of it as the evidence needs, and what reading it costs."""

from __future__ import annotations

import hashlib
import io
import itertools
import threading
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class _Held:
    version_id: str
    body: bytes
    at: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


class MemoryS3:
    """Versioned buckets. `calls` counts the requests by kind, `bytes_read` what was handed out."""

    meta = SimpleNamespace(config=SimpleNamespace(max_pool_connections=16))

    def __init__(self) -> None:
        self._keys: defaultdict[str, list[str]] = defaultdict(list)
        self._held: dict[tuple[str, str], list[_Held]] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self.now = datetime(2026, 11, 1, tzinfo=UTC)
        self.calls = Counter[str]()
        self.bytes_read = 0

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **given: Any) -> dict[str, Any]:  # noqa: N803
        with self._lock:
            held = self._held.setdefault((Bucket, Key), [])
            stale = given.get("IfMatch") not in (None, held[-1].etag if held else None)
            if stale or (held and "IfNoneMatch" in given):
                raise _error("PreconditionFailed", "PutObject")
            if not held:
                insort(self._keys[Bucket], Key)
            held.append(_Held(f"v{next(self._numbers):09}", bytes(Body), self.now))
            return {"VersionId": held[-1].version_id, "ETag": held[-1].etag}

    def head_object(self, **asked: Any) -> dict[str, Any]:
        self.calls["head"] += 1
        return {"LastModified": self._one(asked, "HeadObject").at}

    def get_object(self, **asked: Any) -> dict[str, Any]:
        held = self._one(asked, "GetObject")
        with self._lock:
            self.calls["get"] += 1
            self.bytes_read += len(held.body)
        return {
            "Body": io.BytesIO(held.body),
            "ContentLength": len(held.body),
            "ETag": held.etag,
            "LastModified": held.at,
            "VersionId": held.version_id,
            "Metadata": {},
        }

    def list_object_versions(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str = "",  # noqa: N803
        KeyMarker: str = "",  # noqa: N803
        VersionIdMarker: str = "",  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        with self._lock:
            self.calls["list"] += 1
        found = self._versions(Bucket, Prefix, KeyMarker, bool(VersionIdMarker))
        if VersionIdMarker:
            after = (KeyMarker, VersionIdMarker)
            found = itertools.dropwhile(lambda i: (i["Key"], i["VersionId"]) != after, found)
            next(found, None)
        page = list(itertools.islice(found, 1001))
        page, more = page[:1000], page[1000:]
        last = page[-1] if page else {"Key": "", "VersionId": ""}
        return {
            "Versions": page,
            "IsTruncated": bool(more),
            "NextKeyMarker": last["Key"],
            "NextVersionIdMarker": last["VersionId"],
        }

    def get_paginator(self, name: str) -> MemoryS3:
        assert name in ("list_object_versions", "list_objects_v2")
        return self

    def paginate(self, *, Bucket: str, Prefix: str, Delimiter: str = "") -> Iterator[Any]:  # noqa: N803
        self.calls["list"] += 1
        items = list(self._versions(Bucket, Prefix, "", with_marker=False))
        if not Delimiter:
            yield {"Contents": [item for item in items if item["IsLatest"]]}
            return
        names = (item["Key"][len(Prefix) :].partition(Delimiter) for item in items)
        folders = dict.fromkeys(f"{Prefix}{name}{Delimiter}" for name, cut, _ in names if cut)
        yield {"CommonPrefixes": [{"Prefix": folder} for folder in folders]}

    def _versions(
        self,
        bucket: str,
        prefix: str,
        marker: str,
        with_marker: bool,
    ) -> Iterator[dict[str, Any]]:
        keys = self._keys[bucket]
        first = max(prefix, marker) if with_marker else max(prefix, f"{marker}\0" if marker else "")
        for number in range(bisect_left(keys, first), len(keys)):
            key = keys[number]
            if not key.startswith(prefix):
                return
            held = self._held[bucket, key]
            for each in reversed(held):
                yield {
                    "Key": key,
                    "VersionId": each.version_id,
                    "LastModified": each.at,
                    "ETag": each.etag,
                    "Size": len(each.body),
                    "IsLatest": each is held[-1],
                }

    def _one(self, asked: dict[str, Any], call: str) -> _Held:
        held = self._held.get((asked["Bucket"], asked["Key"]), [])
        wanted = asked.get("VersionId")
        for each in reversed(held):
            if wanted in (None, each.version_id):
                return each
        raise _error("NoSuchKey", call)


def _error(code: str, call: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, call)
