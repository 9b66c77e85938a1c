"""The file of a case: a zip archive in one canonical form.

Members are stored, not compressed, in the order of their names, with one date and one mode. An
archive is accepted only if writing its members again gives the same bytes, all of them. So there is
no byte in it that could change without being noticed, and no second reading of it: no comment, no
extra field, nothing before, between or behind the members.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final, TypeAlias

from custody.core.case.manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    MAX_MEMBERS,
    Manifest,
    Member,
)

_CHUNK_BYTES: Final = 1024 * 1024
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_REGULAR_FILE: Final = 0o100644 << 16

MAX_EVIDENCE_BYTES: Final = 64 * 1024 * 1024
"""Longest member that is read whole; an object's own bytes are only hashed."""

Content: TypeAlias = bytes | Path
"""A member's bytes, or the file that holds them."""


_ENCRYPTED: Final = 0x1

_NO_ARCHIVE: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What zipfile raises, and `MalformedInput`, for a file that is not what it should be."""


class BadArchive(Exception):
    """No case, or one that was changed; the message says how."""


def write_archive(file: IO[bytes], members: Mapping[str, Content]) -> None:
    """Write the canonical archive of `members`."""
    ordered = sorted(members.items())
    _write(_Stream(file), ((name, _size(content), _chunks(content)) for name, content in ordered))


def measure(content: Content) -> Member:
    """What the manifest says of a member."""
    return _measure(_chunks(content))


class Archive:
    """An archive that was read, found canonical, and compared with its manifest."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.manifest = manifest
        self._archive = archive

    def read(self, name: str) -> bytes:
        """The bytes of a member; raises `BadArchive` if it is too long to be evidence."""
        if self.manifest.members[name].size > MAX_EVIDENCE_BYTES:
            raise BadArchive(f"{name} is longer than the {MAX_EVIDENCE_BYTES} bytes accepted")
        return self._archive.read(name)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Read an archive and compare it, byte for byte, with what it must be.

    Raises `BadArchive`, and `OSError` if there is no such file.
    """
    with ExitStack() as stack:
        file, again = (stack.enter_context(path.open("rb")) for _ in range(2))
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            _check_form(archive)
            _check_same(archive, again)
            manifest = Manifest.parse(_bounded(archive, MANIFEST, MAX_MANIFEST_BYTES))
            _check_members(archive, manifest)
        except _NO_ARCHIVE as error:
            raise BadArchive(str(error)) from error
        yield Archive(archive, manifest)


def _check_form(archive: zipfile.ZipFile) -> None:
    """Refuse what would be costly to read or ambiguous, before anything is read."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise BadArchive(f"it has more than {MAX_MEMBERS} members")
    names = [member.filename for member in members]
    if names != sorted(set(names)):
        raise BadArchive("its members are not in the order of their names, or one is there twice")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED:
            raise BadArchive(f"its member {member.filename!r} is compressed or encrypted")


def _check_same(archive: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Whether the canonical archive of these members is the one in `file`, to the last byte."""
    reference = _Comparison(file)
    _write(
        reference,
        ((member.filename, member.file_size, _stored(archive, member.filename))
         for member in archive.infolist()),
    )  # fmt: skip
    if file.read(1):
        raise BadArchive("something stands behind its end")


def _check_members(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    names = set(archive.namelist())
    if names != {MANIFEST, *manifest.members}:
        odd = sorted(names ^ {MANIFEST, *manifest.members})
        raise BadArchive(f"its members are not those of its manifest: {', '.join(odd)[:200]}")
    for name, member in manifest.members.items():
        if _measure(_stored(archive, name)) != member:
            raise BadArchive(f"its member {name} is not the one of its manifest")


def _bounded(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    if archive.getinfo(name).file_size > max_bytes:
        raise BadArchive(f"{name} is longer than the {max_bytes} bytes accepted")
    return archive.read(name)


def _measure(chunks: Iterable[bytes]) -> Member:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return Member(digest.hexdigest(), size)


def _stored(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as member:
        while chunk := member.read(_CHUNK_BYTES):
            yield chunk


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _chunks(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _write(target: _Stream, members: Iterable[tuple[str, int, Iterable[bytes]]]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, size, chunks in members:
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.create_system = _UNIX
            member.external_attr = _REGULAR_FILE
            member.file_size = size  # decides about ZIP64
            with archive.open(member, "w") as stored:
                for chunk in chunks:
                    stored.write(chunk)


class _Stream:
    """A file that can only be written on: what zipfile writes does not depend on seeking."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


class _Comparison(_Stream):
    """Takes what is written, and raises `BadArchive` where the file says otherwise."""

    def write(self, data: bytes) -> int:
        if self._file.read(len(data)) != bytes(data):
            raise BadArchive("its bytes are not those of the archive of its members")
        return len(data)

    def flush(self) -> None:
        pass
