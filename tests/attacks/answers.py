"""Attacks on people's answers to findings: by whom bends Airflow, and by whom may do more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from tests.attacks import operators
from tests.attacks.attack import Finding, Outcome, made
from tests.attacks.operators import NOTHING, OPERATOR
from tests.attacks.world import INSIDER, World, lifted, signed_by

from custody.core.answers.model import Answer, Kind
from custody.core.answers.statement import to_payload
from custody.core.ledger.rows import fingerprint
from custody.core.paging.reminding import STANDING
from custody.objects import ObjectVersion
from custody.settings import Settings
from rehearsal import tampering

AIRFLOW: Final = "airflow"


SOME: Final = "0" * 64
"""The fingerprint of what they would have nobody ask about."""


def _muting(by: str, user: str = "", finding: str = SOME) -> Answer:
    """That somebody works on a finding, as long as anybody may."""
    at = datetime.now(UTC).replace(microsecond=0)
    until = at + timedelta(days=30)
    return Answer(finding, Kind.ACKNOWLEDGED, by, "all is well", at, until, user)


def _put(world: World, answer: Answer, body: bytes, by: str) -> str:
    put = world.client("s3", by).put_object(
        Bucket=world.provenance, Key=answer.key, Body=body, IfNoneMatch="*"
    )
    return str(put["VersionId"])


@made(OPERATOR, person=AIRFLOW)
def one_is_forged(world: World) -> list[Finding]:
    """acknowledges a finding, as Airflow's role, with a signature of a key of his own"""
    by = Settings.parse(world.platform.settings).role(AIRFLOW)
    answer = _muting(by, "somebody else")
    own = world.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    forged = signed_by(world.client("kms"), own["KeyMetadata"]["Arn"], to_payload(answer))
    version = _put(world, answer, forged, AIRFLOW)
    who = world.arn(AIRFLOW)
    return [Finding("BAD_SIGNATURE", world.provenance, answer.key, version, who)]


@made(INSIDER)
def one_is_in_anothers_name(world: World) -> Outcome:
    """lets himself sign answers, and acknowledges a finding in the name of who is on call"""
    key = world.platform.settings["answer_key_arn"]
    account = world.platform.settings["account_id"]
    alice = f"arn:aws:sts::{account}:assumed-role/{world.workgroup}-on-call/alice"
    answer, kms = _muting(alice, finding="1" * 64), world.client("kms")
    with tampering.granted_signing(kms, key, world.arn(INSIDER)):
        body = signed_by(kms, key, to_payload(answer))
    with lifted(world, world.provenance):
        version = _put(world, answer, body, INSIDER)
    found = Finding("CONFLICT", world.provenance, answer.key, version, world.arn(INSIDER))
    written = Finding(
        "UNEXPECTED_PRINCIPAL", world.provenance, answer.key, version, world.arn(INSIDER)
    )
    return Outcome((found,), (found,), reconciled=(written,))


@made(OPERATOR)
def one_mutes_what_was_found(world: World) -> Outcome:
    """acknowledges a finding in Airflow, for 30 days, so that nobody is reminded of it

    The reminder tells everybody who did, and of what.
    """
    settings = Settings.parse(world.platform.settings)
    told = next(finding for finding in world.runs[-1].pages if finding.verdict == "ALTERED")
    version = ObjectVersion(told.bucket, told.key, told.version_id)
    finding = fingerprint(told.verdict, version)
    answer = _muting(settings.role(AIRFLOW), "mallory", finding)
    key = settings.answer_key_arn
    body = signed_by(world.client("kms", AIRFLOW), key, to_payload(answer))
    _put(world, answer, body, AIRFLOW)
    world.inbox.pages()
    operators.remind_people(world)
    (page,) = world.inbox.pages()
    assert page.body["verdict"] == STANDING
    answered = {each["user"]: each["fingerprint"] for each in page.body["answered"]}
    assert answered["mallory"] == finding, page.body
    return NOTHING


AT_REST = [one_is_forged, one_is_in_anothers_name]
