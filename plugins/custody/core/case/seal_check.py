"""What a case shows of the seal: proofs of its records, and all that is sealed of their days."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from custody.core.case.gaps import FoundGap, Gap
from custody.core.case.manifest import CaseSeal, Filed
from custody.core.case.sealing import KeptRecord, troubles_with_seal
from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.stored_records import undisplaced_key
from custody.core.seal.appends import Appends, SealedRecord, records_among, split_notes
from custody.core.seal.entries import RecordEntry
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.merkle import BadProof
from custody.core.tlog.proof import check_proof
from custody.core.tlog.signed_note import BadNote, NoteKey

ReadMember = Callable[[str], bytes]
Found = Callable[[str, object], None]


class CaseSealCheck:
    """Checks envelopes against the seal; what is wrong is `found`: where, and what.

    `checkpoints` are the states of the log that the case is proven by, `unsealed` the keys of
    envelopes without a proof, `gaps` what of the seal the case does not show.
    """

    def __init__(
        self,
        seal: CaseSeal | None,
        read: ReadMember,
        *,
        origin: str,
        keys: Sequence[NoteKey],
        found: Found,
    ) -> None:
        self._read = read
        self._origin = origin
        self._keys = keys
        self._found = found
        self.checkpoints: dict[Checkpoint, None] = {}
        self.unsealed: list[str] = []
        self._appends: Appends | None = None
        self._entries: dict[int, tuple[SealedRecord, ...]] = {}
        self._missing: set[date] = set()
        if seal is not None:
            self._open(seal)

    def check_proof(self, filed: Filed, raw: bytes) -> None:
        """Whether an envelope is proven to be in the log."""
        if filed.proof is None:
            self.unsealed.append(filed.key)
            return
        try:
            entry = RecordEntry(filed.key, hashlib.sha256(raw).hexdigest()).to_bytes()
            proof = self._read(filed.proof)
            included = check_proof(proof, entry, origin=self._origin, keys=self._keys)
        except (BadProof, BadNote, MalformedInput) as error:
            self._found(filed.proof, f"does not prove that {filed.key} is sealed: {error}")
        else:
            self.checkpoints[included.checkpoint] = None

    def troubles(self, kept: Sequence[KeptRecord]) -> list[str]:
        """What does not agree between what the case has of the places of these records and what is
        sealed there."""
        if self._appends is None:
            return []
        places = {undisplaced_key(each.key) for each in kept}
        sealed = [each for place in sorted(places) for each in self._sealed_at(place)]
        return list(troubles_with_seal(kept, sealed, self._appends))

    def check_states(self) -> None:
        """Whether all proofs are of one state of the log. Call last."""
        roots: dict[int, set[bytes]] = {}
        for checkpoint in self.checkpoints:
            roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
        for size, of_size in sorted(roots.items()):
            if len(of_size) > 1:
                self._found(
                    self._origin,
                    f"its key signed {len(of_size)} different logs of {size} entries: "
                    + ", ".join(sorted(root.hex() for root in of_size)),
                )

    @property
    def gaps(self) -> list[FoundGap]:
        """What of the seal the case does not show."""
        found = []
        if self.unsealed:
            what = f"not proven to be sealed: {', '.join(self.unsealed)}"
            found.append(FoundGap(Gap.PROOF, what))
        if self._appends is None:
            what = "whether other records of these objects are sealed is not in the case"
            found.append(FoundGap(Gap.SEAL, what))
        if len({checkpoint.size for checkpoint in self.checkpoints}) > 1:
            what = "its proofs are of several states of the seal, not shown to be those of one log"
            found.append(FoundGap(Gap.SEAL, what))
        found += [
            FoundGap(Gap.SEAL, f"what is sealed of {day} is not all in the case")
            for day in sorted(self._missing)
        ]
        return found

    def _open(self, seal: CaseSeal) -> None:
        try:
            checkpoint = Checkpoint.open(
                self._read(seal.checkpoint), origin=self._origin, keys=self._keys
            )
            appends = Appends.open(
                split_notes(self._read(seal.appends)), checkpoint=checkpoint, keys=self._keys
            )
        except (BadNote, MalformedInput) as error:
            self._found(seal.appends, f"does not show what is sealed: {error}")
            return
        self._appends = appends
        self.checkpoints[checkpoint] = None
        heads = {head.before.size: head for head in appends.heads}
        for each in seal.entries:
            try:
                lines = heads[each.start].entries(self._read(each.member))
            except (KeyError, MalformedInput) as error:
                self._found(
                    each.member, f"is not what is sealed from entry {each.start} on: {error}"
                )
            else:
                self._entries[each.start] = tuple(records_among(each.start, lines))

    def _sealed_at(self, place: str) -> Iterable[SealedRecord]:
        try:
            day = RecordEntry(place, "0" * 64).day
        except MalformedInput as error:
            self._found(place, error)
            return
        for head in self._appends.of_day(day) if self._appends is not None else ():
            if head.before.size not in self._entries:
                self._missing.add(day)
            for each in self._entries.get(head.before.size, ()):
                if undisplaced_key(each.entry.key) == place:
                    yield each
