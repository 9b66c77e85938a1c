"""Following signed lineage back."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from tests.support.lineages import JOB_ARN, LINEAGE
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.lineage.model import HashedObject, Lineage, Run, statement_key
from custody.core.lineage.statement import to_statements
from custody.core.lineage.tracing import is_made, trace
from custody.core.lineage.trust import Trust
from custody.objects import ObjectVersion

TRUST = Trust({KEY_ARN: PRIVATE_KEY.public_key()}, frozenset({JOB_ARN}))
GOLD_RUN = Run("2026-11-01", "jr_gold")
GOLD = HashedObject(
    ObjectVersion("gold-bucket", "gold/t/dt=2026-11-01/run=jr_gold/p", "gV1"), "d1" * 32
)
SILVER = LINEAGE.outputs[1]
GOLD_LINEAGE = replace(LINEAGE, run=GOLD_RUN, inputs=(SILVER,), outputs=(GOLD,))


def statements(*lineages: Lineage) -> dict[str, bytes]:
    return {statement_key(lineage.run): _signed(to_statements(lineage)[0]) for lineage in lineages}


def _signed(statement: bytes) -> bytes:
    signature = PRIVATE_KEY.sign(pae(PAYLOAD_TYPE, statement), ec.ECDSA(SHA256()))
    envelope = Envelope(statement, PAYLOAD_TYPE, (Signature(KEY_ARN, signature),))
    return envelope.to_json_line()


def test_gold_leads_through_silver_to_what_landed():
    traced = trace(GOLD, statements(LINEAGE, GOLD_LINEAGE).get, TRUST)
    gold, silver = traced.walk()
    assert (gold.lineage, gold.outputs, gold.landed, gold.troubles) == (
        GOLD_LINEAGE, (GOLD,), (), (),
    )  # fmt: skip
    assert (silver.lineage, silver.outputs, silver.landed, silver.troubles) == (
        LINEAGE, (SILVER,), LINEAGE.inputs, (),
    )  # fmt: skip


def test_other_bytes_than_stated_are_a_trouble():
    altered = replace(GOLD, sha256="ee" * 32)
    traced = trace(altered, statements(LINEAGE, GOLD_LINEAGE).get, TRUST)
    assert traced.troubles == (f"the lineage of run jr_gold does not name {altered}",)


def test_silver_that_its_own_run_does_not_state_is_a_trouble():
    forged = replace(GOLD_LINEAGE, inputs=(replace(SILVER, sha256="ee" * 32),))
    gold, silver = trace(GOLD, statements(LINEAGE, forged).get, TRUST).walk()
    assert gold.troubles == ()
    assert len(silver.troubles) == 1


def test_lineage_that_is_gone_or_not_trusted_is_a_trouble_and_the_rest_is_traced():
    gold, silver = trace(GOLD, statements(GOLD_LINEAGE).get, TRUST).walk()
    assert (gold.troubles, silver.lineage) == ((), None)
    assert "has no statement" in silver.troubles[0]
    nobody = replace(TRUST, builders=frozenset())
    assert "not trusted" in trace(GOLD, statements(GOLD_LINEAGE).get, nobody).troubles[0]


def test_a_run_among_its_own_sources_ends_the_trace():
    circular = replace(LINEAGE, inputs=(GOLD,))
    *_, last = trace(GOLD, statements(circular, GOLD_LINEAGE).get, TRUST).walk()
    assert "among its own sources" in last.troubles[0]


def test_an_uploader_cannot_name_a_file_like_a_run():
    named = "incoming/t/dt=2026-11-01/run=jr_gold/p"
    assert not is_made(named)

    def named_like_a_run(item: HashedObject) -> HashedObject:
        return replace(item, version=replace(item.version, key=named))

    with pytest.raises(ValueError, match="names no run"):
        trace(named_like_a_run(GOLD), dict[str, bytes]().get, TRUST)
    landed = named_like_a_run(LINEAGE.inputs[0])
    traced = trace(SILVER, statements(replace(LINEAGE, inputs=(landed,))).get, TRUST)
    assert (traced.landed, traced.sources) == ((landed,), ())
