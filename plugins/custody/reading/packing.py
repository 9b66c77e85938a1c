"""What goes into a case, and under which name."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from custody.core.case.key_ring import KeyRing
from custody.core.case.manifest import (
    KEYS,
    MANIFEST,
    CaseDigest,
    CaseEntries,
    CaseLog,
    CaseObject,
    CaseSeal,
    CaseTrail,
    Filed,
    Manifest,
)
from custody.core.formats.strict_gzip import gunzip
from custody.core.seal.appends import join_notes
from custody.core.seal.entries import RecordEntry
from custody.core.trail.digests.document import MAX_DIGEST_BYTES, parse_digest
from custody.reading.archive import Content, measure
from custody.reading.deployment import Deployment
from custody.reading.gathering import Gathered, Known

_CHECKPOINT: Final = "seal/checkpoint"
_APPENDS: Final = "seal/appends"


def pack(
    deployment: Deployment, gathered: Gathered, content: Path | None = None
) -> dict[str, Content]:
    """The members of the case of what was gathered, by their names; `content` is a file with the
    bytes of the object itself."""
    return _Packer(deployment).pack(gathered, content)


class _Packer:
    """Gives the members their names, and says in the manifest what each is."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._members: dict[str, Content] = {}
        self._numbers = defaultdict[str, Iterator[int]](lambda: itertools.count(1))

    def pack(self, gathered: Gathered, content: Path | None) -> dict[str, Content]:
        if content is not None:
            self._members["content/1.bin"] = content
        objects = [self._object(known) for known in gathered.everything]
        if content is not None:
            objects[0] = replace(objects[0], content="content/1.bin")
        lineage = [self._filed("lineage", key, raw) for key, raw in gathered.lineage.items()]
        trail = self._trail(gathered)
        envelopes = [*lineage, *(filed for item in objects for filed in item.records)]
        seal = self._seal(filed.key for filed in envelopes)
        self._members[KEYS] = self._keys(gathered).to_json()
        manifest = Manifest(
            provenance_bucket=self._deployment.provenance_bucket,
            objects=tuple(objects),
            lineage=tuple(lineage),
            trail=trail,
            members={name: measure(content) for name, content in self._members.items()},
            seal=seal,
        )
        return {MANIFEST: manifest.to_bytes(), **self._members}

    def _object(self, known: Known) -> CaseObject:
        return CaseObject(
            known.stored.version,
            tuple(self._filed("records", k.envelope.stored.key, k.raw) for k in known.kept),
            None,
        )

    def _filed(self, folder: str, key: str, raw: bytes) -> Filed:
        member = self._add(folder, "json", raw)
        proof = self._deployment.sealed.proof(key, raw)
        if proof is None:
            return Filed(key, member, None)
        return Filed(key, member, self._add("proofs", "tlog-proof", proof))

    def _seal(self, places: Iterable[str]) -> CaseSeal | None:
        """What is sealed of the days of these places; None before anything is sealed."""
        sealed = self._deployment.sealed
        if sealed.state.note is None:
            return None
        days = {RecordEntry(place, "0" * 64).day for place in places}
        self._members[_CHECKPOINT] = sealed.state.note
        self._members[_APPENDS] = join_notes(sealed.state.notes)
        return CaseSeal(
            checkpoint=_CHECKPOINT,
            appends=_APPENDS,
            entries=tuple(
                CaseEntries(start, self._add("seal", "jsonl", lines))
                for start, lines in sealed.lines(days)
            ),
        )

    def _trail(self, gathered: Gathered) -> CaseTrail | None:
        if gathered.evidence is None:
            return None
        return CaseTrail(
            self._deployment.layout.bucket,
            tuple(
                CaseDigest(key, self._add("digests", "json.gz", packed), metadata)
                for key, (packed, metadata) in gathered.evidence.digests.items()
            ),
            tuple(
                CaseLog(key, self._add("logs", "json.gz", packed))
                for key, packed in gathered.evidence.logs.items()
            ),
        )

    def _keys(self, gathered: Gathered) -> KeyRing:
        """The deployment's keys, of CloudTrail's only those that signed the digests."""
        signed = [
            parse_digest(gunzip(packed, what="digest", max_bytes=MAX_DIGEST_BYTES))
            for packed, _ in (gathered.evidence.digests.values() if gathered.evidence else ())
        ]
        if not signed:
            return replace(self._deployment.keys, cloudtrail={})
        published = self._deployment.digest_keys(self._deployment.layout.region)(
            min(digest.start for digest in signed), max(digest.end for digest in signed)
        )
        used = {digest.fingerprint: published[digest.fingerprint] for digest in signed}
        return replace(self._deployment.keys, cloudtrail=used)

    def _add(self, folder: str, extension: str, content: bytes) -> str:
        name = f"{folder}/{next(self._numbers[folder])}.{extension}"
        self._members[name] = content
        return name
