"""Where an auditor reads from: the buckets themselves, or a copy of them
(`custody.cli.reading.copies`)."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import ClientError

from custody.aws.records.evidence import KeyRange, StoredVersion, stored_versions
from custody.aws.s3.hashing import CHUNK_BYTES, IncompleteObject, Unreadable, hash_version
from custody.aws.trail.store import S3TrailStore, TrailStore
from custody.cli.errors import CannotCheck
from custody.cli.reading.locations import Location
from custody.core.records.landing import HashedVersion
from custody.core.seal.layout import SEAL_PREFIX, FileLister
from custody.core.tlog.tiles import MAX_FILE_BYTES, FileReader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_REFUSED: Final = frozenset({"AccessDenied", "403", "InvalidObjectState", "MethodNotAllowed"})
"""Refusals that are about one object; anything else stops the command."""


class Source(Protocol):
    """The platform's buckets, to be read only."""

    def versions(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        """Every stored version under a prefix, in the order of the keys."""
        ...

    def evidence(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        """The same of the provenance bucket, where the key says what an object is about."""
        ...

    def read(
        self, bucket: str, key: str, *, max_bytes: int, version_id: str | None = None
    ) -> bytes | None:
        """An object, or its first ``max_bytes`` + 1 bytes; None if there is none."""
        ...

    def chunks(self, version: StoredVersion) -> Iterator[bytes]:
        """The bytes of a version."""
        ...

    def hash(self, version: StoredVersion) -> HashedVersion | str:
        """What the bytes of a version are now; a text says why they cannot be read."""
        ...

    def trail(self, bucket: str) -> TrailStore:
        """The trail's bucket."""
        ...


class S3Source:
    """The buckets in S3."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def versions(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        return stored_versions(self._s3, bucket, KeyRange(prefix, after="", last=""))

    def evidence(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        return stored_versions(self._s3, bucket, KeyRange(prefix, after="", last=""))

    def read(
        self, bucket: str, key: str, *, max_bytes: int, version_id: str | None = None
    ) -> bytes | None:
        try:
            if version_id is None:
                found = self._s3.get_object(Bucket=bucket, Key=key)
            else:
                found = self._s3.get_object(Bucket=bucket, Key=key, VersionId=version_id)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        with contextlib.closing(found["Body"]) as body:
            return body.read(max_bytes + 1)

    def chunks(self, version: StoredVersion) -> Iterator[bytes]:
        found = self._s3.get_object(
            Bucket=version.bucket, Key=version.key, VersionId=version.version_id
        )
        with contextlib.closing(found["Body"]) as body:
            yield from body.iter_chunks(CHUNK_BYTES)

    def hash(self, version: StoredVersion) -> HashedVersion | str:
        try:
            return hash_version(self._s3, version.bucket, version.key, version.version_id)
        except (Unreadable, IncompleteObject) as error:
            return f"Its bytes cannot be read: {error}."
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _REFUSED or code.startswith("KMS."):
                return f"Its bytes cannot be read: S3 answers {code}."
            raise

    def trail(self, bucket: str) -> TrailStore:
        return S3TrailStore(self._s3, bucket)


def named_versions(
    source: Source, location: Location, version_id: str | None
) -> Iterator[StoredVersion]:
    """The versions of the object of that key; if there is none, of all that begin like it.

    Raises ``CannotCheck`` if there is nothing.
    """
    listed = source.versions(location.bucket, location.key)
    first = next(listed, None)
    if first is None:
        raise CannotCheck(f"there is nothing at {location}")
    every: Iterator[StoredVersion] = itertools.chain([first], listed)
    if first.key == location.key:
        # The key itself comes before all that it begins.
        every = itertools.takewhile(lambda stored: stored.key == location.key, every)
    if version_id is None:
        return every
    wanted = next((stored for stored in every if stored.version_id == version_id), None)
    if wanted is None or wanted.key != location.key:
        raise CannotCheck(f"{location} has no version {version_id}")
    return iter([wanted])


def one_version(source: Source, location: Location, version_id: str | None) -> StoredVersion:
    """The version of an object, by default the latest stored; raises ``CannotCheck``."""
    found = next(named_versions(source, location, version_id))
    if found.key != location.key:
        raise CannotCheck(f"there is no object {location}: name one object, not a prefix")
    return found


def seal_files(source: Source, provenance_bucket: str) -> FileReader:
    """Reads the files of the seal."""

    def read(path: str) -> bytes | None:
        return source.read(provenance_bucket, SEAL_PREFIX + path, max_bytes=MAX_FILE_BYTES)

    return read


def seal_history(source: Source, provenance_bucket: str) -> FileLister:
    """Lists the files of the seal, those hidden by a delete marker included."""

    def list_files(prefix: str) -> Iterator[str]:
        for stored in source.evidence(provenance_bucket, SEAL_PREFIX + prefix):
            yield stored.key.removeprefix(SEAL_PREFIX)

    return list_files
