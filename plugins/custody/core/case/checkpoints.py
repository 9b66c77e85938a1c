"""The checkpoints in a case, with the signatures under them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from custody.core.case.manifest import Manifest
from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.proof import checkpoint_of


def checkpoint_notes(manifest: Manifest, read: Callable[[str], bytes]) -> list[bytes]:
    """The signed checkpoints of the proofs of a case, each once; what is no proof is passed over,
    as `custody.core.case.check` finds it."""
    return list(dict.fromkeys(_notes(manifest, read)))


def _notes(manifest: Manifest, read: Callable[[str], bytes]) -> Iterator[bytes]:
    records = [filed for item in manifest.objects for filed in item.records]
    for filed in (*records, *manifest.lineage):
        if filed.proof is not None:
            try:
                yield checkpoint_of(read(filed.proof))
            except MalformedInput:
                continue
