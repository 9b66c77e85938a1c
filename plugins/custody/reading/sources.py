"""Where an auditor reads from: the buckets themselves, or a copy of them
(`custody.reading.copies`)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from custody.aws.s3.errors import ObjectAbsent, code_of, is_refused
from custody.aws.s3.hashing import IncompleteObject, Unreadable, hash_version
from custody.aws.s3.listing import StoredVersion, list_versions
from custody.aws.s3.reading import open_version, read_current, read_version
from custody.aws.trail.store import S3TrailStore, TrailStore
from custody.core.records.model import HashedVersion
from custody.core.seal.layout import SEAL_PREFIX, FileLister
from custody.core.tlog.tiles import MAX_FILE_BYTES, FileReader
from custody.objects import ObjectVersion
from custody.reading.errors import CannotCheck
from custody.reading.locations import Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Source(Protocol):
    """The platform's buckets, to be read only."""

    def versions(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        """Every version under a prefix that holds bytes, in the order of the keys.

        Also of keys that end with a slash: S3 keeps bytes under these as under any other.
        """
        ...

    def out_of_reach(self, bucket: str, prefix: str) -> int:
        """How many versions under a prefix are in the bucket and cannot be read from here."""
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

    def hash(self, version: ObjectVersion) -> HashedVersion | str | None:
        """What the bytes of a version are now; a text says why they cannot be read, None that they
        are not asked for."""
        ...

    def trail(self, bucket: str) -> TrailStore:
        """The trail's bucket."""
        ...


class S3Source:
    """The buckets in S3."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def versions(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        every = list_versions(self._s3, bucket, prefix)
        return (stored for stored in every if not stored.is_delete_marker)

    def out_of_reach(self, bucket: str, prefix: str) -> int:  # noqa: ARG002 - S3 has all
        return 0

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

    def hash(self, version: ObjectVersion) -> HashedVersion | str | None:
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


class EvidenceSource(S3Source):
    """The buckets in S3, for who may read the evidence about data, and not the data."""

    def hash(self, version: ObjectVersion) -> None:  # noqa: ARG002 - whatever it is
        return None


def named_versions(
    source: Source, location: Location, version_id: str | None
) -> Iterator[StoredVersion]:
    """The versions of the object of that key, or of all whose keys begin with that prefix.

    Raises `CannotCheck` if there is nothing, and for a key that is also the folder of others: its
    versions alone may not be all that was meant.
    """
    if location.is_prefix and version_id is None:
        return _all_of(source.versions(location.bucket, location.key), location)
    every = _versions_of(source, location)
    if version_id is not None:
        every = (stored for stored in every if stored.version.version_id == version_id)
        return _all_of(every, f"{location} version {version_id}")
    below = replace(location, key=f"{location.key}/")
    if next(source.versions(below.bucket, below.key), None) is not None:
        raise CannotCheck(
            f"{location} is an object, or none, and {below} the beginning of others: end a prefix "
            "with a slash, or name a version of the object (--version-id)"
        )
    return _all_of(every, location)


def one_version(source: Source, location: Location, version_id: str | None) -> StoredVersion:
    """The version of an object, by default the latest stored; raises `CannotCheck`."""
    if version_id is not None:
        return next(named_versions(source, location, version_id))
    found = next(_versions_of(source, location), None)
    if found is None:
        raise CannotCheck(f"there is no object {location}: name one object, not a prefix")
    return found


def _versions_of(source: Source, location: Location) -> Iterator[StoredVersion]:
    """The versions of the object of that very key, which comes before all that it begins."""
    return itertools.takewhile(
        lambda stored: stored.version.key == location.key,
        source.versions(location.bucket, location.key),
    )


def _all_of(found: Iterator[StoredVersion], what: object) -> Iterator[StoredVersion]:
    first = next(found, None)
    if first is None:
        raise CannotCheck(
            f"there is nothing at {what}; a prefix ends with a slash, or is given with --prefix"
        )
    return itertools.chain([first], found)


def seal_files(source: Source, provenance_bucket: str) -> FileReader:
    """Reads the files of the seal."""

    def read(path: str) -> bytes | None:
        return source.read(provenance_bucket, SEAL_PREFIX + path, max_bytes=MAX_FILE_BYTES)

    return read


def seal_history(source: Source, provenance_bucket: str) -> FileLister:
    """Lists the files of the seal, those hidden by a delete marker included."""

    def list_files(prefix: str) -> Iterator[str]:
        for stored in source.versions(provenance_bucket, SEAL_PREFIX + prefix):
            yield stored.version.key.removeprefix(SEAL_PREFIX)

    return list_files
