"""Objects in S3, read and written as the caller."""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import itertools
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.athena.errors import Cancelled, QueryError, internal_error

# Few: the server that answers them is the same process.
_READERS = 4
# From so many locations on, one listing of what they have in common is cheaper.
_MANY_LOCATIONS = 4
_CHUNK = 1024 * 1024
_CACHE_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Location:
    """``s3://bucket/prefix``; the prefix is empty or ends with a slash."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, uri: str) -> Location:
        """Raises QueryError for what is not an S3 path."""
        scheme, _, rest = uri.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme not in ("s3", "s3a", "s3n") or not bucket:
            raise QueryError("INVALID_LOCATION", f"'{uri}' is not an s3:// path")
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        return cls(bucket, prefix)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as listed; sizes in bytes."""

    bucket: str
    key: str
    size: int
    etag: str
    modified: str

    @property
    def uri(self) -> str:
        """``s3://bucket/key``, the value of ``"$path"``."""
        return f"s3://{self.bucket}/{self.key}"


class ObjectStore:
    """Lists, fetches and writes objects; what it fetched before it only asks about again.

    A cached object is confirmed with a conditional GetObject, so that the caller's permission is
    checked, and seen by CloudTrail, every time.
    """

    def __init__(self, s3: Any, cache: Path, stop: threading.Event) -> None:
        """`cache` is a folder shared by all queries; `stop` ends the work in progress."""
        self._s3 = s3
        self._cache = cache
        self._stop = stop

    def below_each(self, locations: Sequence[Location]) -> list[list[StoredObject]]:
        """What `below` gives for each location."""
        common = _common(locations)
        if common is None or len(locations) < _MANY_LOCATIONS:
            return [self.below(location) for location in locations]
        try:
            listed = self._listed(common)
        except QueryError:
            # The caller may be allowed to list the locations, but not what is beside them.
            return [self.below(location) for location in locations]
        return [
            _visible(location, _starting_with(location.prefix, listed)) for location in locations
        ]

    def below(self, location: Location) -> list[StoredObject]:
        """The objects below a location that hold data: not empty, not hidden (``_…``, ``.…``)."""
        return _visible(location, self._listed(location))

    def _listed(self, location: Location) -> list[StoredObject]:
        """Every object whose key starts with a prefix, by key."""
        found: list[StoredObject] = []
        with _denied(location.bucket, location.prefix):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=location.bucket, Prefix=location.prefix
            )
            for page in pages:
                self._check()
                found += [_stored(location.bucket, item) for item in page.get("Contents") or []]
        return sorted(found, key=lambda stored: stored.key)

    def is_empty(self, location: Location) -> bool:
        """Whether nothing at all lies below a location."""
        with _denied(location.bucket, location.prefix):
            page = self._s3.list_objects_v2(
                Bucket=location.bucket, Prefix=location.prefix, MaxKeys=1
            )
        return not page.get("Contents")

    def fetch(self, objects: Sequence[StoredObject], folder: Path) -> list[Path]:
        """The objects as files in `folder`, in order."""
        with ThreadPoolExecutor(_READERS) as pool:
            return list(
                pool.map(
                    lambda numbered: self._fetch(numbered[1], folder / f"object-{numbered[0]}"),
                    enumerate(objects),
                )
            )

    def put(self, bucket: str, key: str, body: bytes | Path, **arguments: str) -> None:
        """Write one object."""
        self._check()
        with _denied(bucket, key):
            if isinstance(body, Path):
                with body.open("rb") as file:
                    self._s3.put_object(Bucket=bucket, Key=key, Body=file, **arguments)
            else:
                self._s3.put_object(Bucket=bucket, Key=key, Body=body, **arguments)

    def read(self, bucket: str, key: str) -> bytes:
        """A whole object."""
        with _denied(bucket, key):
            body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled

    def _fetch(self, one: StoredObject, target: Path) -> Path:
        self._check()
        cached = self._cache / _cache_name(one)
        # A link keeps the bytes even if the cache drops them meanwhile.
        with contextlib.suppress(FileNotFoundError):
            os.link(cached, target)
            os.utime(target)
        with _denied(one.bucket, one.key):
            if target.exists() and self._unchanged(one):
                return target
            answer = self._s3.get_object(Bucket=one.bucket, Key=one.key)
            if answer["ETag"] != one.etag:
                raise QueryError(
                    "HIVE_FILE_CHANGED",
                    f"{one.uri} was replaced while the query was reading; run it again",
                )
            self._save(answer["Body"], target)
        with contextlib.suppress(FileExistsError):
            os.link(target, cached)
        return target

    def _unchanged(self, one: StoredObject) -> bool:
        try:
            answer = self._s3.get_object(Bucket=one.bucket, Key=one.key, IfNoneMatch=one.etag)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 304:
                return True
            raise
        answer["Body"].close()
        return False

    def _save(self, body: Any, target: Path) -> None:
        partial = target.with_name(target.name + ".partial")
        with partial.open("wb") as file:
            for chunk in body.iter_chunks(_CHUNK):
                self._check()
                file.write(chunk)
        partial.replace(target)


def _stored(bucket: str, item: dict[str, Any]) -> StoredObject:
    return StoredObject(
        bucket, item["Key"], item["Size"], item["ETag"], item["LastModified"].isoformat()
    )


def _visible(location: Location, listed: Iterable[StoredObject]) -> list[StoredObject]:
    return [
        stored
        for stored in listed
        if stored.size
        and not any(
            part.startswith(("_", ".")) for part in stored.key[len(location.prefix) :].split("/")
        )
    ]


def _common(locations: Sequence[Location]) -> Location | None:
    """The longest prefix that all locations share, if they share a bucket."""
    if len({location.bucket for location in locations}) != 1:
        return None
    prefixes = sorted(location.prefix for location in locations)
    same = itertools.takewhile(
        lambda pair: pair[0] == pair[1], zip(prefixes[0], prefixes[-1], strict=False)
    )
    return Location(locations[0].bucket, "".join(char for char, _ in same))


def _starting_with(prefix: str, listed: Sequence[StoredObject]) -> Iterable[StoredObject]:
    """The objects of a listing, which is sorted by key, that start with a prefix."""
    start = bisect.bisect_left(listed, prefix, key=lambda stored: stored.key)
    return itertools.takewhile(
        lambda stored: stored.key.startswith(prefix), itertools.islice(listed, start, None)
    )


def _cache_name(one: StoredObject) -> str:
    identity = "\n".join((one.bucket, one.key, one.etag, str(one.size), one.modified))
    return hashlib.sha256(identity.encode()).hexdigest()


@contextlib.contextmanager
def _denied(bucket: str, key: str) -> Iterator[None]:
    """S3's errors in Athena's words."""
    where = f"s3://{bucket}/{key}"
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("AccessDenied", "403", "AllAccessDisabled", "KMS.AccessDeniedException"):
            raise QueryError("", f"Permission denied on S3 path: {where}", kind=1501) from error
        if code == "NoSuchBucket":
            raise QueryError(
                "", f"The S3 location provided does not exist: {where}", kind=1107
            ) from error
        if code in ("NoSuchKey", "404"):
            raise QueryError(
                "HIVE_CANNOT_OPEN_SPLIT", f"{where} was removed while the query was reading"
            ) from error
        message = error.response["Error"].get("Message", "")
        raise internal_error(f"S3: {code} on {where}: {message}") from error
    except BotoCoreError as error:
        raise internal_error(f"S3: {error} on {where}") from error


def trim_cache(cache: Path, limit: int = _CACHE_BYTES) -> None:
    """Drop what was used longest ago until the cache is within its limit (bytes)."""
    files = []
    for path in cache.iterdir():
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= size
