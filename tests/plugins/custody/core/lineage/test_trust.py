"""Found by the object's key alone, and believed only when signed, complete and about the object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from tests.support.lineages import JOB_ARN, KEY_ARN, LINEAGE, RUN, large

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.lineage.model import Lineage, Run, statement_key
from custody.core.lineage.statement import from_statement, to_statements
from custody.core.lineage.trust import BadLineage, NoLineage, Trust, lineage_of, lineage_of_run

KEY = ec.generate_private_key(ec.SECP256R1())
TRUST = Trust({KEY_ARN: KEY.public_key()}, frozenset({JOB_ARN}))
OUTPUT = LINEAGE.outputs[0]


def store(
    lineage: Lineage = LINEAGE, key: ec.EllipticCurvePrivateKey = KEY, skip: Iterable[int] = ()
) -> dict[str, bytes]:
    """A provenance bucket with the statements of one run, but for some parts."""
    bucket = {}
    for statement in to_statements(lineage):
        part = from_statement(statement)
        if part.number not in skip:
            sig = key.sign(pae(PAYLOAD_TYPE, statement), ec.ECDSA(SHA256()))
            envelope = Envelope(statement, PAYLOAD_TYPE, (Signature(KEY_ARN, sig),))
            bucket[part.key] = envelope.to_json_line()
    return bucket


def test_an_output_leads_to_the_lineage_that_made_it():
    assert lineage_of(OUTPUT, store().get, TRUST) == LINEAGE


def test_all_parts_are_read():
    lineage = large(3000, 2)
    assert lineage_of(lineage.outputs[1], store(lineage).get, TRUST) == lineage


def test_reads_no_more_than_the_parts_there_are():
    asked: list[str] = []
    bucket = store()

    def read(key: str) -> bytes | None:
        asked.append(key)
        return bucket.get(key)

    lineage_of(OUTPUT, read, TRUST)
    assert asked == [statement_key(RUN)]


def test_where_nothing_is_there_is_no_lineage():
    with pytest.raises(NoLineage, match=statement_key(RUN)):
        lineage_of(OUTPUT, {}.get, TRUST)


def test_an_object_that_no_run_made_has_no_lineage():
    with pytest.raises(NoLineage, match="names no run"):
        lineage_of(LINEAGE.inputs[0], store().get, TRUST)


@pytest.mark.parametrize(
    "other",
    [
        replace(OUTPUT, version=replace(OUTPUT.version, version_id="pV9")),
        replace(OUTPUT, version=replace(OUTPUT.version, bucket="another-bucket")),
        replace(OUTPUT, sha256="00" * 32),
    ],
    ids=["version", "bucket", "bytes"],
)
def test_another_version_or_other_bytes_are_not_what_the_run_made(other):
    with pytest.raises(BadLineage, match="does not name"):
        lineage_of(other, store().get, TRUST)


def test_a_part_that_is_gone_is_not_overlooked():
    lineage = large(3000, 2)
    with pytest.raises(BadLineage, match="part 3 of 4 of run jr_0123456789abcdef is gone"):
        lineage_of_run(RUN, store(lineage, skip=[3]).get, TRUST)


def test_parts_of_two_lineages_are_none():
    lineage, other = large(3000, 2), replace(large(3000, 2), builder_id=JOB_ARN + "-2")
    mixed = store(lineage) | {statement_key(RUN, 3): store(other)[statement_key(RUN, 3)]}
    trust = replace(TRUST, builders=frozenset({JOB_ARN, JOB_ARN + "-2"}))
    with pytest.raises(BadLineage, match="different runs"):
        lineage_of_run(RUN, mixed.get, trust)


def test_a_strangers_signature_is_not_believed():
    forged = store(key=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(BadLineage, match="does not match"):
        lineage_of(OUTPUT, forged.get, TRUST)


def test_a_trusted_key_does_not_sign_for_any_builder():
    with pytest.raises(BadLineage, match="custody-dev-bronze-to-silver, whose lineage"):
        lineage_of(OUTPUT, store().get, replace(TRUST, builders=frozenset({"arn:other"})))


def test_a_statement_moved_to_the_place_of_another_run_is_not_believed():
    victim = Run(RUN.dt, "jr_victim")
    moved = {statement_key(victim): store()[statement_key(RUN)]}
    with pytest.raises(BadLineage, match="holds part 1 of run jr_0123456789abcdef"):
        lineage_of_run(victim, moved.get, TRUST)


@pytest.mark.parametrize("raw", [b"", b"{}", b"x" * 2_000_000, b'{"payload":"e30="}'])
def test_what_is_no_envelope_is_not_believed(raw):
    with pytest.raises(BadLineage, match=statement_key(RUN)):
        lineage_of_run(RUN, {statement_key(RUN): raw}.get, TRUST)
