"""A transparency log in memory, for tests, and vectors that tools we did not write agree with.

`tlog_vectors.json` is about the log whose entry i is `{"entry":i}`, signed with `SIGNER`.
Its roots, checkpoint and inclusion proof are ours, accepted by golang.org/x/mod v0.43.0
(`sumdb/note`, `sumdb/tlog`), github.com/transparency-dev/formats v0.1.1 (`log`, `proof`),
github.com/transparency-dev/merkle v0.0.2 and `fsck` of github.com/transparency-dev/tessera
v1.0.4, which read the whole log as we write it, at each of the sizes. Its consistency proofs and
its foreign note were made by golang.org/x/mod v0.43.0. What is cosigned was by `omniwitness` of
github.com/transparency-dev/witness v0.0.0-20260720115447, with a key of each type.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody.core.seal.layout import log_origin
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.extension import extend
from custody.core.tlog.merkle import EMPTY_ROOT
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from custody.core.tlog.tiled_tree import TiledTree

VECTORS: dict[str, Any] = json.loads(
    Path(__file__).with_name("tlog_vectors.json").read_text(encoding="utf-8")
)
ORIGIN = log_origin("custody-test-provenance-111122223333")


def signer(seed: bytes = bytes(range(32)), name: str = ORIGIN) -> NoteSigner:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return NoteSigner(NoteKey(name, private.public_key().public_bytes_raw()), private.sign)


SIGNER = signer()
KEY = SIGNER.key
OTHER_SIGNER = signer(b"\x07" * 32)


def entry(i: int) -> bytes:
    return b'{"entry":%d}' % i


class MemoryLog:
    """A log whose files are a dictionary."""

    def __init__(self, *sizes: int) -> None:
        """The log as it is after growing to each of the sizes."""
        self.files: dict[str, bytes] = {}
        self.tree = TiledTree(0, EMPTY_ROOT, self.files.get)
        for size in sizes:
            self.append(map(entry, range(self.tree.size, size)))

    def append(self, entries: Iterable[bytes]) -> dict[str, bytes]:
        """The files that were written."""
        extension = extend(self.tree, list(entries))
        for path, content in extension.files.items():
            assert self.files.setdefault(path, content) == content
        self.tree = TiledTree(extension.size, extension.root, self.files.get)
        self.files["checkpoint"] = self.checkpoint.sign(SIGNER)
        return dict(extension.files)

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(ORIGIN, self.tree.size, self.tree.root)

    @property
    def note(self) -> bytes:
        return self.files["checkpoint"]
