"""The objects of a trail's bucket, with their versions."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from botocore.exceptions import ClientError

from custody.aws.s3.errors import ObjectAbsent, ObjectRefused, answer_of, code_of, is_refused
from custody.aws.s3.listing import StoredVersion, list_folders, list_versions
from custody.aws.s3.reading import open_current, open_version
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")


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
        """Every object under `prefix` in the order of the keys, from behind `after` on."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """The first part of what is behind `prefix` in the keys, up to a slash, each once."""
        ...

    def read(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        consume: Callable[[Mapping[str, str], Iterator[bytes]], T],
    ) -> tuple[T, ObjectVersion]:
        """What `consume` makes of the user metadata and the bytes, and the version read.

        `version_id` is `None` for the current one. Raises `ObjectAbsent` and
        `ObjectRefused`.
        """
        ...


class S3TrailStore:
    """A trail's bucket in S3. Give the client as many connections as there are threads."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        every = list_versions(self._s3, self._bucket, prefix, after=after)
        for key, group in itertools.groupby(every, key=lambda stored: stored.version.key):
            latest_first = sorted(
                group,
                key=lambda stored: (not stored.is_latest, -stored.last_modified.timestamp()),
            )
            yield StoredObject(key, tuple(map(_version, latest_first)))

    def folders(self, prefix: str) -> Iterator[str]:
        yield from list_folders(self._s3, self._bucket, prefix)

    def read(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        consume: Callable[[Mapping[str, str], Iterator[bytes]], T],
    ) -> tuple[T, ObjectVersion]:
        try:
            opened = (
                open_current(self._s3, bucket, key)
                if version_id is None
                else open_version(self._s3, ObjectVersion(bucket, key, version_id))
            )
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":  # which a digest may name
                raise ObjectAbsent(answer_of(error)) from error
            if is_refused(error):
                raise ObjectRefused(code_of(error)) from error
            raise
        with contextlib.closing(opened.chunks):
            return consume(opened.metadata, opened.chunks), opened.version


def _version(stored: StoredVersion) -> Version:
    return Version(
        stored.version.version_id,
        stored.last_modified,
        stored.size,
        deletes=stored.is_delete_marker,
    )
