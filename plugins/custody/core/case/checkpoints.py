"""The checkpoints in a case, with the signatures under them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from custody.core.case.manifest import Manifest
from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.proof import checkpoint_of
from custody.core.tlog.signed_note import take_apart


def checkpoint_notes(manifest: Manifest, read: Callable[[str], bytes]) -> list[bytes]:
    """The signed checkpoints of a case, those of its proofs included, each once.

    What is none is passed over: that it is not, `custody.core.case.check` finds.
    """
    return list(dict.fromkeys(_notes(manifest, read)))


def _notes(manifest: Manifest, read: Callable[[str], bytes]) -> Iterator[bytes]:
    if manifest.seal is not None:
        yield from _note(read(manifest.seal.checkpoint))
    records = [filed for item in manifest.objects for filed in item.records]
    for filed in (*records, *manifest.lineage):
        if filed.proof is not None:
            try:
                yield from _note(checkpoint_of(read(filed.proof)))
            except MalformedInput:
                continue


def _note(raw: bytes) -> Iterator[bytes]:
    try:
        take_apart(raw)
    except MalformedInput:
        return
    yield raw
