"""The objects of a trail's bucket, with their versions."""

from __future__ import annotations

import contextlib
import functools
import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from custody.objects import UNVERSIONED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, ListObjectVersionsOutputTypeDef

T = TypeVar("T")

_CHUNK_BYTES: Final = 256 * 1024
_READ_ATTEMPTS: Final = 3
"""botocore repeats a request that fails, but not one whose body breaks off."""

_ABSENT_CODES: Final = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404"})
_NOT_THE_OBJECTS_FAULT: Final = frozenset(
    {
        "ExpiredToken",
        "InvalidAccessKeyId",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "SignatureDoesNotMatch",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)


class ObjectAbsent(Exception):
    """There is no such object, or no such version of it."""


class ObjectRefused(Exception):
    """S3 has the object and does not hand it out; the message is S3's error code."""


@dataclass(frozen=True)
class Version:
    """One version of an object; a delete marker is one too."""

    id: str
    last_modified: datetime
    size: int
    deletes: bool


@dataclass(frozen=True)
class StoredObject:
    """An object key and its versions, the current one first."""

    key: str
    versions: tuple[Version, ...]

    @property
    def current(self) -> Version:
        return self.versions[0]

    @property
    def delivered_at(self) -> datetime:
        """When something was first put here, as S3 saw it."""
        return min(version.last_modified for version in self.versions)


class TrailStore(Protocol):
    """Where a trail's files lie: its bucket, or a copy of it. Used by many threads at once."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """Every object under ``prefix`` in the order of the keys, from behind ``after`` on."""
        ...

    def read(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        consume: Callable[[Mapping[str, str], Iterator[bytes]], T],
    ) -> tuple[T, str]:
        """What ``consume`` makes of the user metadata and the bytes, and the version read.

        ``version_id`` is ``None`` for the current one. ``consume`` may be called again if the
        transfer breaks. Raises ``ObjectAbsent`` and ``ObjectRefused``.
        """
        ...


class S3TrailStore:
    """A trail's bucket in S3. Give the client as many connections as there are threads."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        every = itertools.chain.from_iterable(map(_versions, self._pages(prefix, after)))
        for key, group in itertools.groupby(every, key=lambda entry: entry[0]):
            latest_first = sorted(group, key=lambda entry: entry[1])
            yield StoredObject(key, tuple(version for _, _, version in latest_first))

    def _pages(self, prefix: str, after: str) -> Iterator[ListObjectVersionsOutputTypeDef]:
        """Not botocore's paginator: that does not take a key to begin behind."""
        list_versions = functools.partial(
            self._s3.list_object_versions, Bucket=self._bucket, Prefix=prefix
        )
        page = list_versions(KeyMarker=after) if after else list_versions()
        yield page
        while page["IsTruncated"]:
            page = list_versions(
                KeyMarker=page["NextKeyMarker"], VersionIdMarker=page["NextVersionIdMarker"]
            )
            yield page

    def read(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        consume: Callable[[Mapping[str, str], Iterator[bytes]], T],
    ) -> tuple[T, str]:
        for attempt in range(1, _READ_ATTEMPTS + 1):
            try:
                found = self._get(bucket, key, version_id)
            except ClientError as error:
                raise _refusal(error) from error
            try:
                # Not `with body`: that gives the stream below, whose errors are not botocore's.
                with contextlib.closing(found["Body"]) as body:
                    consumed = consume(found["Metadata"], body.iter_chunks(_CHUNK_BYTES))
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if attempt == _READ_ATTEMPTS:
                    raise
            else:
                return consumed, found.get("VersionId", UNVERSIONED)
        raise AssertionError("the last attempt returns or raises")

    def _get(self, bucket: str, key: str, version_id: str | None) -> GetObjectOutputTypeDef:
        if version_id is None:
            return self._s3.get_object(Bucket=bucket, Key=key)
        return self._s3.get_object(Bucket=bucket, Key=key, VersionId=version_id)


def first_bytes(chunks: Iterator[bytes], max_bytes: int) -> bytes:
    """The bytes up to a little behind the bound, where they cannot be valid any more."""
    read = bytearray()
    for chunk in chunks:
        read += chunk
        if len(read) > max_bytes:
            break
    return bytes(read)


def _refusal(error: ClientError) -> Exception:
    """What a refused read says: of the object, or (the error itself) of the reader or of S3."""
    code = error.response["Error"]["Code"]
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 500)
    if code in _ABSENT_CODES:
        return ObjectAbsent(code)
    if 400 <= status < 500 and code not in _NOT_THE_OBJECTS_FAULT:
        return ObjectRefused(code)
    return error


_Order = tuple[bool, float]


def _versions(
    page: ListObjectVersionsOutputTypeDef,
) -> Iterator[tuple[str, _Order, Version]]:
    """Versions and delete markers of a page, by key; S3 lists the two apart.

    Next to each version is its place among those of its key: the current one comes first.
    """

    def entry(
        key: str, version_id: str, modified: datetime, size: int, *, latest: bool, deletes: bool
    ) -> tuple[str, _Order, Version]:
        order = (not latest, -modified.timestamp())
        return key, order, Version(version_id, modified, size, deletes)

    stored = (
        entry(v["Key"], v["VersionId"], v["LastModified"], v["Size"],
              latest=v["IsLatest"], deletes=False)
        for v in page.get("Versions", ())
    )  # fmt: skip
    markers = (
        entry(m["Key"], m["VersionId"], m["LastModified"], 0, latest=m["IsLatest"], deletes=True)
        for m in page.get("DeleteMarkers", ())
    )
    return heapq.merge(stored, markers, key=lambda found: found[0])
