"""What a record says of a write's call is compared with the events of the write."""

from dataclasses import replace

import pytest
from tests.plugins.custody.core.ledger.test_verdicts import (
    AFTER,
    CLAIM,
    CRM,
    GOOD,
    PROVEN,
    facts,
    policy,
)

from custody.core.ledger.claims import names_other_caller, names_other_request
from custody.core.ledger.reasons import of_version
from custody.core.ledger.verdicts import Verdict, judge
from custody.core.records.model import LandingRecord
from custody.core.trail.principals import Principal

GLUE = Principal("arn:aws:sts::1:assumed-role/glue/job", "AssumedRole", "AROAGLUE:job", "arn:role")


def claim(principal_id: str = "AWS:AIDACRM", source_ip: str = "203.0.113.7") -> LandingRecord:
    return replace(
        CLAIM, event=replace(CLAIM.event, principal_id=principal_id, source_ip=source_ip)
    )


@pytest.mark.parametrize(
    ("said", "differs"),
    [
        (claim(), False),
        (claim("AIDACRM"), False),
        (claim("AWS:AIDAINNOCENT"), True),
        (claim("AIDAINNOCENT"), True),
        (claim("AWS:"), True),
        (claim(source_ip="198.51.100.9"), True),
        (claim(source_ip="somewhere"), True),
    ],
)
def test_another_caller_or_address_than_cloudtrail_saw_is_a_conflict_that_names_nobody(
    said: LandingRecord, *, differs: bool
) -> None:
    assert names_other_caller(said, [PROVEN]) is differs
    evidence = facts((PROVEN,), (replace(GOOD, claim=said),))
    judgement = judge(evidence, policy(AFTER))
    assert judgement.verdict == (Verdict.CONFLICT if differs else Verdict.VERIFIED)
    assert (judgement.call is None) is differs
    if differs:
        assert of_version(judgement, evidence, policy(AFTER)) == (
            f"CloudTrail says {CRM.arn} (AIDACRM) wrote this version from 203.0.113.7, the record "
            f"says {said.event.principal_id.removeprefix('AWS:') or 'nobody'} did from "
            f"{said.event.source_ip}."
        )


@pytest.mark.parametrize(
    ("who", "source_ip", "said"),
    [
        # S3's own id of a root user; a service, for itself and for somebody.
        (Principal("arn:aws:iam::1:root", "Root", "1", None), "203.0.113.7", claim("A3NL1KOZZK")),
        (Principal("s3.amazonaws.com", "AWSService", None, None), "s3.amazonaws.com", claim("x")),
        (CRM, "athena.amazonaws.com", claim(source_ip="10.0.0.1")),
        (CRM, "10.0.0.1", claim(source_ip="203.0.113.7")),  # through a VPC endpoint
        (CRM, "AWS Internal", claim()),
        (GLUE, "203.0.113.7", claim("AWS:AROAGLUE:job")),
        # Who took Glue's role, whom the notification does not know.
        (replace(CRM, acting_as=GLUE.arn), "203.0.113.7", claim("AWS:AROAGLUE:job")),
        (CRM, "2001:db8::7", claim(source_ip="2001:0DB8:0:0::7")),
        (CRM, None, claim()),
    ],
)
def test_what_the_witnesses_call_differently_is_no_contradiction(
    who: Principal, source_ip: str | None, said: LandingRecord
) -> None:
    assert not names_other_caller(said, [replace(PROVEN, who=who, source_ip=source_ip)])


def test_a_record_is_compared_with_the_request_that_it_names() -> None:
    """An upload completed a second time, from another address: the notification tells of one."""
    again = replace(PROVEN, event_id="e2", request_id="R2", source_ip="198.51.100.9")
    for address, request, differs in (
        ("203.0.113.7", "R1", False),
        ("198.51.100.9", "R2", False),
        ("198.51.100.9", "R1", True),
    ):
        said = claim(source_ip=address)
        said = replace(said, event=replace(said.event, request_id=request))
        assert not names_other_request(said, [PROVEN, again])
        assert names_other_caller(said, [PROVEN, again]) is differs
    unnamed = replace(PROVEN, request_id=None)
    assert not names_other_request(claim(), [unnamed])
    assert names_other_caller(claim("AWS:AIDAINNOCENT"), [unnamed])
    assert not names_other_request(claim(), [])
