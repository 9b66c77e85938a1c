"""Where an auditor reads from: the buckets themselves, or a copy of them
(`custody.cli.reading.copies`)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from custody.aws.s3.errors import ObjectAbsent, code_of, is_refused
from custody.aws.s3.hashing import IncompleteObject, Unreadable, hash_version
from custody.aws.s3.listing import KeyRange, StoredVersion, stored_versions
from custody.aws.s3.reading import open_version, read_current, read_version
from custody.aws.trail.store import S3TrailStore, TrailStore
from custody.cli.errors import CannotCheck
from custody.cli.reading.locations import Location
from custody.core.records.model import HashedVersion
from custody.core.seal.layout import SEAL_PREFIX, FileLister
from custody.core.tlog.tiles import MAX_FILE_BYTES, FileReader
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Source(Protocol):
    """The platform's buckets, to be read only."""

    def versions(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        """Every stored version under a prefix, in the order of the keys."""
        ...

    def evidence(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        """The same of the provenance bucket, where the key says what an object is about."""
        ...

    def read(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        """An object, or its first `max_bytes` + 1 bytes; None if there is none."""
        ...

    def read_version(self, version: ObjectVersion, *, max_bytes: int) -> bytes | None:
        """The same of one version."""
        ...

    def chunks(self, version: ObjectVersion) -> Iterator[bytes]:
        """The bytes of a version."""
        ...

    def hash(self, version: ObjectVersion) -> HashedVersion | str:
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
        return stored_versions(self._s3, bucket, KeyRange(prefix))

    def evidence(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        return stored_versions(self._s3, bucket, KeyRange(prefix))

    def read(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        found = read_current(self._s3, bucket, key, max_bytes=max_bytes)
        return None if found is None else found.body

    def read_version(self, version: ObjectVersion, *, max_bytes: int) -> bytes | None:
        try:
            return read_version(self._s3, version, max_bytes=max_bytes)
        except ObjectAbsent:
            return None

    def chunks(self, version: ObjectVersion) -> Iterator[bytes]:
        return open_version(self._s3, version).chunks

    def hash(self, version: ObjectVersion) -> HashedVersion | str:
        try:
            return hash_version(self._s3, version)
        except (Unreadable, IncompleteObject) as error:
            return f"Its bytes cannot be read: {error}."
        except ClientError as error:
            if is_refused(error):
                return f"Its bytes cannot be read: S3 answers {code_of(error)}."
            raise

    def trail(self, bucket: str) -> TrailStore:
        return S3TrailStore(self._s3, bucket)


def named_versions(
    source: Source, location: Location, version_id: str | None
) -> Iterator[StoredVersion]:
    """The versions of the object of that key; if there is none, of all that begin like it.

    Raises `CannotCheck` if there is nothing.
    """
    listed = source.versions(location.bucket, location.key)
    first = next(listed, None)
    if first is None:
        raise CannotCheck(f"there is nothing at {location}")
    every: Iterator[StoredVersion] = itertools.chain([first], listed)
    if first.version.key == location.key:
        # The key itself comes before all that it begins.
        every = itertools.takewhile(lambda stored: stored.version.key == location.key, every)
    if version_id is None:
        return every
    wanted = next((stored for stored in every if stored.version.version_id == version_id), None)
    if wanted is None or wanted.version.key != location.key:
        raise CannotCheck(f"{location} has no version {version_id}")
    return iter([wanted])


def one_version(source: Source, location: Location, version_id: str | None) -> StoredVersion:
    """The version of an object, by default the latest stored; raises `CannotCheck`."""
    found = next(named_versions(source, location, version_id))
    if found.version.key != location.key:
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
            yield stored.version.key.removeprefix(SEAL_PREFIX)

    return list_files
