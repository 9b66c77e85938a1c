"""Lineage that may be believed: found by an object's key, signed by a trusted key, and complete.

Where statements are read from (S3, a copy on disk) is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec

from custody.core.formats.dsse import Envelope
from custody.core.formats.signatures import BadSignature, load_public_key, verify
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.model import HashedObject, Lineage, Part, Run, run_of, statement_key
from custody.core.lineage.statement import from_statement, join

Read: TypeAlias = Callable[[str], bytes | None]
"""Gives the object of a key of the provenance bucket, or None if there is none."""


class NoLineage(Exception):
    """There is no statement about the object; the text says where it should be."""


class BadLineage(Exception):
    """A statement that must not be believed; the text says which and why."""


@dataclass(frozen=True)
class Trust:
    """Who may state lineage: the keys (by key id), and the builders (job ARNs) they sign for.

    SLSA: "Consumers MUST accept only specific signer-builder pairs." Several keys are trusted at
    once while one is being replaced.
    """

    public_keys: Mapping[str, ec.EllipticCurvePublicKey]
    builders: frozenset[str]


@dataclass(frozen=True)
class LineageKeys:
    """The same in a form that can be pickled: public keys in DER (or PEM), by key id."""

    public_keys: Mapping[str, bytes]
    builders: frozenset[str]

    @property
    def trust(self) -> Trust:
        """Raises `ValueError` for a key that is not P-256."""
        loaded = {key_id: load_public_key(key) for key_id, key in self.public_keys.items()}
        return Trust(loaded, self.builders)


def lineage_of(output: HashedObject, read: Read, trust: Trust) -> Lineage:
    """The lineage of the run that made `output`, this very version with these very bytes.

    Raises `NoLineage` or `BadLineage`.
    """
    run = run_of(output.version.key)
    if run is None:
        raise NoLineage(f"{output}: its key names no run, so no run made it")
    lineage = lineage_of_run(run, read, trust)
    if output not in lineage.outputs:
        raise BadLineage(f"the lineage of run {run.id} does not name {output}")
    return lineage


def lineage_of_run(run: Run, read: Read, trust: Trust) -> Lineage:
    """The whole lineage of a run. Raises `NoLineage` or `BadLineage`."""
    first = _part(run, 1, read, trust)
    if first is None:
        raise NoLineage(f"run {run.id} of {run.dt} has no statement at {statement_key(run)}")
    parts = [first]
    for number in range(2, first.count + 1):
        part = _part(run, number, read, trust)
        if part is None:
            key = statement_key(run, number)
            raise BadLineage(f"part {number} of {first.count} of run {run.id} is gone: {key}")
        parts.append(part)
    try:
        return join(parts)
    except MalformedInput as error:
        raise BadLineage(str(error)) from error


def _part(run: Run, number: int, read: Read, trust: Trust) -> Part | None:
    key = statement_key(run, number)
    raw = read(key)
    if raw is None:
        return None
    try:
        return read_part(Envelope.parse(raw), key, trust)
    except (BadLineage, MalformedInput) as error:
        raise BadLineage(f"{key}: {error}") from error


def read_part(envelope: Envelope, key: str, trust: Trust) -> Part:
    """The statement in the envelope at `key`; raises `BadLineage`."""
    try:
        part = from_statement(verify(envelope, trust.public_keys))
    except (BadSignature, MalformedInput) as error:
        raise BadLineage(str(error)) from error
    if part.key != key:
        raise BadLineage(f"holds part {part.number} of run {part.lineage.run.id}")
    if part.lineage.builder_id not in trust.builders:
        raise BadLineage(f"built by {part.lineage.builder_id[:200]}, whose lineage is not trusted")
    return part
