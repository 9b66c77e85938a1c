"""Statements as they stand in the provenance bucket: signed, written once, found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from tests.plugins.custody.core.trail.test_events import event
from tests.support import trail_records
from tests.support.lineages import JOB_ARN, LINEAGE, RUN, large
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY, refusal, signing_kms

from custody.aws.kms.signing import sign_statement
from custody.aws.lineage.keeping import (
    LineageConflict,
    check_written,
    keep_lineage,
    lineage_of,
    versions_read,
)
from custody.aws.s3.listing import KeyRange, StoredVersion, stored_versions
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.lineage.model import Lineage, statement_key
from custody.core.lineage.statement import to_statements
from custody.core.lineage.trust import BadLineage, NoLineage, Trust
from custody.objects import ObjectVersion

TRUST = Trust({KEY_ARN: PRIVATE_KEY.public_key()}, frozenset({JOB_ARN}))
OUTPUT = LINEAGE.outputs[0]


def keep(s3, bucket: str, lineage: Lineage = LINEAGE) -> list[str]:
    return keep_lineage(s3, signing_kms(), key_arn=KEY_ARN, bucket=bucket, lineage=lineage)


def versions(s3, bucket: str) -> list[tuple[str, str]]:
    listed = s3.list_object_versions(Bucket=bucket).get("Versions", [])
    return [(version["Key"], version["VersionId"]) for version in listed]


def test_what_is_kept_is_found_from_the_output(s3, provenance):
    assert keep(s3, provenance) == [statement_key(RUN)]
    assert lineage_of(s3, provenance, OUTPUT, TRUST) == LINEAGE


def test_a_run_of_many_objects_has_several_statements(s3, provenance):
    lineage = large(3000, 2)
    assert keep(s3, provenance, lineage) == [statement_key(RUN, part) for part in (1, 2, 3, 4)]
    assert lineage_of(s3, provenance, lineage.outputs[0], TRUST) == lineage


def test_what_runs_read_is_what_good_statements_say(s3, provenance):
    """A statement that is forged, moved or gone says nothing: each is a finding of its own."""
    keep(s3, provenance, large(3000, 2))
    body = s3.get_object(Bucket=provenance, Key=statement_key(RUN))["Body"].read()
    s3.put_object(Bucket=provenance, Key="provenance/lineage/dt=2026-11-01/moved.json", Body=body)
    s3.put_object(Bucket=provenance, Key="provenance/lineage/dt=2026-11-01/forged.json", Body=b"{}")
    gone = StoredVersion(
        ObjectVersion(provenance, "provenance/lineage/gone.json", "v"), LINEAGE.finished_on
    )
    stored = [*stored_versions(s3, provenance, KeyRange("provenance/lineage/")), gone]

    read = dict(versions_read(s3, stored, TRUST))

    assert sorted(read) == [item.version for item in large(3000, 2).inputs]
    assert {(by.dataset, by.run) for by in read.values()} == {("customers", RUN)}
    parts = {statement_key(RUN, part) for part in (1, 2, 3, 4)}
    kept = {one.last_modified for one in stored if one.version.key in parts}
    assert {by.stated_at for by in read.values()} <= kept  # a part may name outputs alone


def test_where_the_first_part_stands_all_do(s3, provenance):
    """A reader that finds part 1 and misses another may call it gone."""
    written: list[str] = []
    s3.meta.events.register(
        "before-parameter-build.s3.PutObject", lambda params, **_: written.append(params["Key"])
    )
    keys = keep(s3, provenance, large(3000, 2))
    assert written == keys[::-1]


def test_keeping_it_again_changes_nothing(s3, provenance):
    keep(s3, provenance)
    before = versions(s3, provenance)
    keep(s3, provenance, replace(LINEAGE, finished_on=LINEAGE.finished_on + timedelta(hours=1)))
    assert versions(s3, provenance) == before


def test_a_keeping_that_was_cut_short_is_finished(s3, provenance):
    lineage = large(3000, 2)
    last = to_statements(lineage)[-1]
    envelope = sign_statement(signing_kms(), KEY_ARN, last)
    s3.put_object(Bucket=provenance, Key=statement_key(RUN, 4), Body=envelope.to_json_line())
    assert len(keep(s3, provenance, lineage)) == 4
    assert lineage_of(s3, provenance, lineage.outputs[0], TRUST) == lineage


def _envelope(lineage: Lineage, key: ec.EllipticCurvePrivateKey = PRIVATE_KEY) -> bytes:
    (statement,) = to_statements(lineage)
    return sign_statement(signing_kms(key), KEY_ARN, statement).to_json_line()


@pytest.mark.parametrize(
    "undeclared",
    [
        b"",
        b"x" * 2_000_000,
        _envelope(replace(LINEAGE, inputs=())),
        _envelope(LINEAGE, ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["empty", "huge", "another claim", "another key"],
)
def test_what_lies_under_the_key_of_a_statement_fails_the_run_and_stays(s3, provenance, undeclared):
    s3.put_object(Bucket=provenance, Key=statement_key(RUN), Body=undeclared)
    before = versions(s3, provenance)
    with pytest.raises(LineageConflict, match=statement_key(RUN)):
        keep(s3, provenance)
    assert versions(s3, provenance) == before


def test_every_write_is_conditional(s3, provenance):
    conditions = []
    s3.meta.events.register(
        "before-call.s3.PutObject",
        lambda params, **_: conditions.append(params["headers"].get("If-None-Match")),
    )
    keep(s3, provenance, large(3000, 2))
    assert conditions == ["*"] * 4


def test_no_statement_and_a_forbidden_one_are_told_apart(s3, provenance):
    with pytest.raises(NoLineage):
        lineage_of(s3, provenance, OUTPUT, TRUST)
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal("AccessDenied", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        lineage_of(s3, provenance, OUTPUT, TRUST)


def test_a_huge_statement_is_refused_before_it_is_read_whole(s3, provenance):
    s3.put_object(Bucket=provenance, Key=statement_key(RUN), Body=b"x" * 3_000_000)
    with pytest.raises(BadLineage, match="longer than the 1048576 bytes"):
        lineage_of(s3, provenance, OUTPUT, TRUST)


def write(s3, bucket: str, body: bytes, *, proven: bool = True):
    """The trail's event of putting a statement of the run."""
    key = statement_key(RUN)
    version_id = s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
    found = event(trail_records.put(), proven=proven)
    return replace(found, bucket=bucket, key=key, version_id=version_id)


def test_each_version_that_was_written_is_checked(s3, provenance):
    keep(s3, provenance)
    ((key, honest_version),) = versions(s3, provenance)
    forged = write(s3, provenance, b"{}")
    honest = replace(forged, version_id=honest_version)
    assert check_written(s3, honest, TRUST).trouble is None
    found = check_written(s3, forged, TRUST)
    assert "payload" in found.trouble
    assert (found.bucket, found.statement_key) == (provenance, key)
    assert (found.statement_version, found.written_at) == (forged.version_id, forged.time)


def test_a_statement_of_any_size_is_checked(s3, provenance):
    found = check_written(s3, write(s3, provenance, b" " * (MAX_ENVELOPE_BYTES + 10)), TRUST)
    assert found.trouble


def test_a_write_that_does_not_name_its_version_is_of_the_one_that_stands(s3, provenance):
    named = write(s3, provenance, b"{}")
    found = check_written(s3, replace(named, version_id=None), TRUST)
    assert found.statement_version == named.version_id


def test_a_statement_that_is_gone_cannot_be_checked(s3, provenance):
    named = write(s3, provenance, b"{}")
    s3.delete_object(Bucket=provenance, Key=named.key, VersionId=named.version_id)
    assert check_written(s3, named, TRUST) is None


@pytest.mark.parametrize("proven", [True, False])
def test_a_statement_that_s3_does_not_hand_out_is_bad_if_it_was_there(s3, provenance, proven):
    """Nobody needs to have written what an unproven event tells of."""
    named = write(s3, provenance, b"{}", proven=proven)
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal("InvalidRequest", 400))
    found = check_written(s3, named, TRUST)
    if proven:
        assert (found.was_read, found.statement_version) == (False, named.version_id)
        assert "InvalidRequest" in found.trouble
    else:
        assert found is None


def test_what_is_not_the_objects_fault_is_an_error(s3, provenance):
    named = write(s3, provenance, b"{}")
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal("ExpiredToken", 400))
    with pytest.raises(ClientError, match="ExpiredToken"):
        check_written(s3, named, TRUST)
