"""A copy of the buckets on disk, as `aws s3 sync` leaves one, held against a listing of each.

::

    DIR/_versions/<bucket>.json         aws s3api list-object-versions --bucket <bucket>
    DIR/<bucket>/<key>                  the current version of every object
    DIR/_metadata/<trail bucket>/<digest key>.json
                                        aws s3api head-object --bucket … --key <digest key>

What is in a bucket is what its listing says (`custody.reading.listings`): a record is about one
version, a file does not say which it is, and a file that is not there says nothing. So an object
whose file was deleted, renamed or made a link cannot be read; a file that the listing does not name
is no part of the copy. `_metadata` is where CloudTrail puts the signatures of its digests. No
bucket's name begins with an underscore.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Final, TypeVar

from custody.aws.s3.errors import ObjectAbsent, ObjectRefused
from custody.aws.s3.listing import StoredVersion
from custody.aws.s3.reading import CHUNK_BYTES
from custody.aws.trail.store import StoredObject, Version
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.records.model import HashedVersion
from custody.objects import UNVERSIONED, ObjectVersion
from custody.reading.errors import CannotCheck
from custody.reading.listings import Listing, read_listing

T = TypeVar("T")

_MAX_METADATA_BYTES: Final = 64 * 1024


class CopySource:
    """The buckets as they lie under a folder. Raises `CannotCheck` if it is none."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise CannotCheck(f"{root} is no folder: --from takes a copy of the buckets")
        self._root = root.resolve()
        self._listing = cache(self._read_listing)

    def versions(self, bucket: str, prefix: str) -> Iterator[StoredVersion]:
        yield from self._listing(bucket).current(prefix)

    def out_of_reach(self, bucket: str, prefix: str) -> int:
        return self._listing(bucket).superseded(prefix)

    def read(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        try:
            with self._open(bucket, key) as file:
                return file.read(max_bytes + 1)
        except FileNotFoundError:
            return None

    def read_version(self, version: ObjectVersion, *, max_bytes: int) -> bytes | None:
        listed = self._listing(version.bucket).at(version.key)
        if listed is None or listed.version != version:
            return None
        return self.read(version.bucket, version.key, max_bytes=max_bytes)

    def chunks(self, version: ObjectVersion) -> Iterator[bytes]:
        with self._open(version.bucket, version.key) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def hash(self, version: ObjectVersion) -> HashedVersion | str:
        digest, size = hashlib.sha256(), 0
        if self._is_folder_marker(version):
            return HashedVersion(digest.hexdigest(), size, etag="", checksum=None)
        try:
            for chunk in self.chunks(version):
                digest.update(chunk)
                size += len(chunk)
        except OSError as error:
            return f"Its bytes cannot be read: {error}."
        return HashedVersion(digest.hexdigest(), size, etag="", checksum=None)

    def trail(self, bucket: str) -> CopiedTrail:
        if not (self._root / "_metadata" / bucket).is_dir():
            raise CannotCheck(
                f"{self._root}/_metadata/{bucket} is missing: digests are signed in their objects' "
                "metadata, which a copy of the files does not have (custody trail --help)"
            )
        return CopiedTrail(self, bucket)

    def trail_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        for stored in self.versions(bucket, prefix):
            version = Version(UNVERSIONED, stored.last_modified, stored.size, deletes=False)
            yield StoredObject(stored.version.key, (version,))

    def folders(self, bucket: str, prefix: str) -> Iterator[str]:
        """The first part of what is behind `prefix` in the keys, up to a slash, each once."""
        behind = (
            stored.version.key.removeprefix(prefix) for stored in self.versions(bucket, prefix)
        )
        yield from dict.fromkeys(rest.partition("/")[0] for rest in behind if "/" in rest)

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        """The user metadata of an object; none if its file is not there.

        Raises `CannotCheck` for one that is not what `head-object` prints.
        """
        path = self._root / "_metadata" / bucket / f"{key}.json"
        if not path.is_file():
            return {}
        try:
            document = load_json(path.read_bytes(), what=str(path), max_bytes=_MAX_METADATA_BYTES)
            metadata = Fields.of(document, str(path)).child("Metadata")
            return {name: metadata.text(name, max_length=2048) for name in metadata.values}
        except MalformedInput as error:
            raise CannotCheck(f"{error}: keep what aws s3api head-object prints") from error

    @contextmanager
    def _open(self, bucket: str, key: str) -> Iterator[IO[bytes]]:
        """Open the file of an object: none outside of the copy, and no link to another."""
        path = self._root / bucket / key
        is_name = not {"", ".", ".."} & set(key.split("/"))  # else a path leaves parts of it out
        if not is_name or path.is_symlink() or path.resolve() != path or not path.is_file():
            raise FileNotFoundError(f"s3://{bucket}/{key} is not in the copy")
        with path.open("rb") as file:
            yield file

    def _bucket(self, bucket: str) -> Path:
        root = self._root / bucket
        if not root.is_dir():
            raise CannotCheck(f"{root} is missing: the copy has no bucket {bucket}")
        return root

    def _read_listing(self, bucket: str) -> Listing:
        self._bucket(bucket)
        return read_listing(self._root / "_versions" / f"{bucket}.json", bucket)

    def _is_folder_marker(self, version: ObjectVersion) -> bool:
        """Whether it is an empty object whose key ends with a slash, which is no file on a disk."""
        listed = self._listing(version.bucket).at(version.key)
        return version.key.endswith("/") and listed is not None and listed.size == 0


class CopiedTrail:
    """The trail's bucket in a copy (`custody.aws.trail.store.TrailStore`)."""

    def __init__(self, source: CopySource, bucket: str) -> None:
        self._source = source
        self._bucket = bucket

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        found = self._source.trail_objects(self._bucket, prefix)
        return (stored for stored in found if stored.key > after)

    def folders(self, prefix: str) -> Iterator[str]:
        return self._source.folders(self._bucket, prefix)

    def read(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        consume: Callable[[Mapping[str, str], Iterator[bytes]], T],
    ) -> tuple[T, ObjectVersion]:
        version = ObjectVersion(bucket, key, version_id or UNVERSIONED)
        metadata = self._source.metadata(bucket, key)
        try:
            return consume(metadata, self._source.chunks(version)), version
        except FileNotFoundError as error:
            raise ObjectAbsent(str(error)) from error
        except OSError as error:
            raise ObjectRefused(str(error)) from error
