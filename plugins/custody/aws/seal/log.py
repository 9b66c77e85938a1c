"""Sealing records and verdicts: appending them to the transparency log in the provenance bucket.

An append goes through these steps, and the program may die after each:

1. the head is read, its signature checked, and its tree compared with the tiles of the right edge;
2. what will be appended is decided, by a signed intent at the head's size, written only if absent;
3. bundles and tiles are written, each only if absent, and the same or it is an error;
4. the right edge of the new tree is read back from what is stored;
5. the leaves are filed under their day;
6. the new tree is proven to begin with that of the checkpoint, which its own then replaces, if it
   is still the one that was read.

Step 2 decides the append. Everything after it follows from the intent alone, so the next run can
complete it, and two runs at once write the same bytes. The same holds after somebody put back an
older checkpoint: the log is rolled forward by the intents that are stored, and cannot fork.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, TypedDict

from botocore.exceptions import ClientError

from custody.aws.s3.errors import ObjectWithheld, code_of
from custody.aws.s3.listing import latest_version, list_keys, list_versions
from custody.aws.s3.reading import Content, read_current
from custody.aws.s3.write_once import put_if_absent
from custody.core.seal.entries import SealEntry
from custody.core.seal.intent import MAX_INTENT_BYTES, Intent, portions
from custody.core.seal.layout import (
    CHECKPOINT_PATH,
    SEAL_PREFIX,
    FileLister,
    LeafRange,
    append_path,
)
from custody.core.seal.lookup import leaf_ranges
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.extension import extend
from custody.core.tlog.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, verify_consistency
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from custody.core.tlog.tiled_tree import TiledTree
from custody.core.tlog.tiles import MAX_FILE_BYTES, BadTile, FileReader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TEXT: Final = "text/plain; charset=utf-8"
_BINARY: Final = "application/octet-stream"
_WRITERS: Final = 8
"""Files written at a time; waiting for S3 is nearly all there is to it."""

_ATTEMPTS: Final = 5
"""Times in a row that others may come first before something is taken to be wrong."""

_MOVED_ON: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
"""How S3 refuses to replace an object that is no longer the one that was read."""


class SealContended(Exception):
    """Other runs kept appending first; nothing is lost, and trying again later is safe."""


@dataclass(frozen=True)
class Sealed:
    """The log after a seal.

    `appended` of the entries given were new; the others were in it before. `completed` entries
    had been decided by another run, and were appended now. `note` is the signed
    `checkpoint`; `None` while the log is empty.
    """

    appended: int
    completed: int
    checkpoint: Checkpoint
    note: bytes | None


def seal_reader(s3: S3Client, bucket: str) -> FileReader:
    """Reads the log's files from the provenance `bucket`, each up to a bound beyond its own."""

    def read(path: str) -> bytes | None:
        found = _file(s3, bucket, path)
        return None if found is None else found.body

    return read


def seal_lister(s3: S3Client, bucket: str) -> FileLister:
    """Lists the log's files in the provenance `bucket`."""

    def list_files(prefix: str) -> Iterable[str]:
        for key in list_keys(s3, bucket, SEAL_PREFIX + prefix):
            yield key.removeprefix(SEAL_PREFIX)

    return list_files


def seal_history(s3: S3Client, bucket: str) -> FileLister:
    """Lists the files the log ever had, those that were deleted included."""

    def list_files(prefix: str) -> Iterable[str]:
        for stored in list_versions(s3, bucket, SEAL_PREFIX + prefix):
            yield stored.version.key.removeprefix(SEAL_PREFIX)

    return list_files


def seal(
    s3: S3Client,
    bucket: str,
    entries: Iterable[SealEntry],
    *,
    signer: NoteSigner,
    trusted: Iterable[NoteKey] = (),
) -> Sealed:
    """Append to the log in the provenance `bucket` those `entries` that are not in it.

    They are ordered by day and then by their bytes; an entry of a day is never added twice. Any
    append that was begun before is completed first. The log is named after its key; `trusted`
    are earlier keys of it, beside that of the `signer`.

    Raises `BadNote` or `MalformedInput` if the checkpoint or an intent cannot be trusted,
    `BadTile` if the tiles are not those of the checkpoint or another file stands in the way, and
    `BadProof` if the new tree would not begin with the old: then the log must be looked into, and
    nothing is appended. Raises `SealContended` if others kept coming first.
    """
    days = dict[date, set[bytes]]()
    for entry in entries:
        days.setdefault(entry.day, set()).add(entry.to_bytes())
    log = _Log(s3, bucket, signer, (*signer.key.all, *trusted))
    log.catch_up()
    for day, of_day in sorted(days.items()):
        log.add(day, sorted(of_day))
    return Sealed(log.appended, log.completed, log.head.checkpoint, log.head.note)


class _Unchanged(TypedDict, total=False):
    IfMatch: str
    IfNoneMatch: str


def read_checkpoint(s3: S3Client, bucket: str) -> Content | None:
    """The stored checkpoint of the log in the provenance `bucket`; None if there is none."""
    return _file(s3, bucket, CHECKPOINT_PATH)


def replace_checkpoint(s3: S3Client, bucket: str, note: bytes, *, before: str | None) -> str | None:
    """Store a checkpoint in the place of the one with the entity tag `before` (None: there is
    none); return its own, or None if another one stands there by now."""
    unchanged: _Unchanged = {"IfMatch": before} if before else {"IfNoneMatch": "*"}
    try:
        response = s3.put_object(
            Bucket=bucket,
            Key=SEAL_PREFIX + CHECKPOINT_PATH,
            Body=note,
            ContentType=_TEXT,
            ChecksumAlgorithm="SHA256",
            **unchanged,
        )
    except ClientError as error:
        if code_of(error) not in _MOVED_ON:
            raise
        return None
    return response["ETag"]


@dataclass(frozen=True)
class _Head:
    """The end of the log: its checkpoint, the signed note and entity tag it was read with (`None`
    if it does not exist), and its tree."""

    checkpoint: Checkpoint
    note: bytes | None
    etag: str | None
    tree: TiledTree


class _Log:
    """The log with its head as last read or written, and appending to it."""

    def __init__(
        self, s3: S3Client, bucket: str, signer: NoteSigner, keys: tuple[NoteKey, ...]
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._signer = signer
        self._keys = keys
        self._read = seal_reader(s3, bucket)
        self._list = seal_lister(s3, bucket)
        self.appended = 0
        self.completed = 0
        self.head = self._read_head()

    def catch_up(self) -> None:
        """Complete the appends that any run decided after the head."""
        while (found := self._find(append_path(self.head.checkpoint.size))) is not None:
            intent = Intent.open(found.body, before=self.head.checkpoint, keys=self._keys)
            self._complete(intent)
            self.completed += len(intent.entries)

    def add(self, day: date, entries: list[bytes]) -> None:
        """Append the entries that are not among those of `day`."""
        for _ in range(_ATTEMPTS):
            tree = self.head.tree
            sealed = {
                leaf
                for leaves in leaf_ranges(self._list, day, tree.size)
                for leaf in tree.leaf_hashes(leaves.start, leaves.end)
            }
            missing = [entry for entry in entries if leaf_hash(entry) not in sealed]
            if all(self._append(day, portion) for portion in portions(missing)):
                return
            self.head = self._read_head()
            self.catch_up()
        raise SealContended(f"others appended {_ATTEMPTS} times while {day} was to be sealed")

    def _append(self, day: date, entries: tuple[bytes, ...]) -> bool:
        """Append the entries; `False` if another run decided an append here first."""
        intent = Intent(self.head.checkpoint, day, entries)
        if not self._put(append_path(intent.before.size), intent.sign(self._signer), _TEXT):
            return False
        self._complete(intent)
        self.appended += len(entries)
        return True

    def _complete(self, intent: Intent) -> None:
        extension = extend(self.head.tree, intent.entries)
        with ThreadPoolExecutor(_WRITERS) as writers:
            list(writers.map(self._put_same, extension.files, extension.files.values()))
        tree = TiledTree(extension.size, extension.root, self._read)
        self._put(LeafRange(intent.before.size, tree.size).path(intent.day), b"", _BINARY)
        self._publish(tree)

    def _publish(self, tree: TiledTree) -> None:
        """Make `tree` the head, unless the log has reached it or is further on."""
        checkpoint = Checkpoint(self.head.checkpoint.origin, tree.size, tree.root)
        for _ in range(_ATTEMPTS):
            if self.head.tree.size >= tree.size:
                _check_begins_with(self.head.tree, tree)
                return
            _check_begins_with(tree, self.head.tree)
            note = checkpoint.sign(self._signer)
            etag = replace_checkpoint(self._s3, self._bucket, note, before=self.head.etag)
            if etag is not None:
                self.head = _Head(checkpoint, note, etag, tree)
                return
            self.head = self._read_head()
        raise SealContended(f"the checkpoint of {tree.size} entries could not be written")

    def _read_head(self) -> _Head:
        """Read the checkpoint; check its signature, and that the stored tiles make its root."""
        origin = self._signer.key.name
        found = self._find(CHECKPOINT_PATH)
        if found is None:
            return _Head(
                Checkpoint(origin, 0, EMPTY_ROOT), None, None, TiledTree(0, EMPTY_ROOT, self._read)
            )
        checkpoint = Checkpoint.open(found.body, origin=origin, keys=self._keys)
        tree = TiledTree(checkpoint.size, checkpoint.root, self._read)
        return _Head(checkpoint, found.body, found.etag, tree)

    def _find(self, path: str) -> Content | None:
        """The checkpoint or an intent; `None` if there is none.

        Raises `BadTile` if it was deleted: a log begun anew where one was hidden would be a fork
        signed by its own key.
        """
        found = _file(self._s3, self._bucket, path)
        if found is None:
            latest = latest_version(self._s3, self._bucket, SEAL_PREFIX + path)
            if latest is not None and latest.is_delete_marker:
                raise BadTile(path, "was deleted")
        return found

    def _put(self, path: str, body: bytes, content_type: str) -> bool:
        key = SEAL_PREFIX + path
        return put_if_absent(self._s3, self._bucket, key, body, content_type=content_type)

    def _put_same(self, path: str, body: bytes) -> None:
        if not self._put(path, body, _BINARY) and self._read(path) != body:
            raise BadTile(path, "another file stands where this append has to write")


def _check_begins_with(new: TiledTree, old: TiledTree) -> None:
    """Raise `BadProof` unless the new tree begins with the old one."""
    proof = consistency_proof(old.size, new.size, new.node)
    verify_consistency(old.size, new.size, old.root, new.root, proof)


def _file(s3: S3Client, bucket: str, path: str) -> Content | None:
    """A file of the log; `None` if there is none. Raises `BadTile` for one that S3 does not hand
    out, as it was encrypted anew, and what botocore raises."""
    try:
        return read_current(
            s3, bucket, SEAL_PREFIX + path, max_bytes=max(MAX_FILE_BYTES, MAX_INTENT_BYTES)
        )
    except ObjectWithheld as error:
        raise BadTile(path, f"S3 does not hand it out ({code_of(error)})") from error
