"""A run's own words are written once, and believed whatever is put over or in front of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.support.judging_runs import BASIS, PARTS, PLACE, REPORT, RUN
from tests.support.s3_answers import encrypt_anew
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.runs.keeping import Judgement, RunConflict, keep_run, read_run
from custody.core.runs.report import RunReport
from custody.core.runs.statement import BadRun, RunStatement, sign_run

KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/seal"


def keep(s3: Any, bucket: str, parts: Mapping[str, bytes] = PARTS) -> RunStatement:
    kept = keep_run(s3, bucket, RUN, BASIS, parts, signer=SIGNER, key_arn=KEY_ARN)
    assert kept.parts == parts
    return kept.statement


def read(s3: Any, bucket: str, **more: Any) -> Judgement:
    return read_run(s3, KEY, bucket, job=RUN.job, run_id=RUN.id, day=RUN.day, **more)


def test_what_a_run_states_is_read_back(s3: Any, provenance: str) -> None:
    kept = keep(s3, provenance)
    assert read(s3, provenance) == Judgement(kept, PARTS)
    assert (kept.run, kept.basis) == (RUN, BASIS)
    assert RunReport.parse(read(s3, provenance).parts["report"]) == REPORT


def test_who_needs_one_part_reads_no_other(s3: Any, provenance: str) -> None:
    kept = keep(s3, provenance)
    s3.delete_object(
        Bucket=provenance,
        Key=RUN.key_of("report"),
        VersionId=kept.parts["report"].version.version_id,
    )
    assert read(s3, provenance, parts=["files"]).parts == {"files": PARTS["files"]}
    with pytest.raises(BadRun, match=r"report\.json"):
        read(s3, provenance)


def test_a_run_states_once_what_it_found(s3: Any, provenance: str) -> None:
    kept = keep(s3, provenance)
    with pytest.raises(RunConflict, match="is there already"):
        keep(s3, provenance, {**PARTS, "report": b"{}"})
    assert read(s3, provenance) == Judgement(kept, PARTS)


@pytest.mark.parametrize("name", [f"{PLACE}.json", f"{PLACE}.report.json"])
def test_what_lay_there_before_is_not_taken_for_it(s3: Any, provenance: str, name: str) -> None:
    s3.put_object(Bucket=provenance, Key=name, Body=b"planted")
    with pytest.raises(RunConflict):
        keep(s3, provenance)


def test_what_is_put_over_it_or_hides_it_changes_nothing(s3: Any, provenance: str) -> None:
    kept = keep(s3, provenance)
    forged = sign_run(kept, OTHER_SIGNER, KEY_ARN)
    for body in (forged.to_json_line(), b"rubbish"):
        s3.put_object(Bucket=provenance, Key=RUN.statement_key, Body=body)
    s3.put_object(Bucket=provenance, Key=RUN.key_of("report"), Body=b"{}")
    for key in (RUN.statement_key, RUN.key_of("report")):
        s3.delete_object(Bucket=provenance, Key=key)
    assert read(s3, provenance) == Judgement(kept, PARTS)


def test_the_statement_of_another_run_is_not_this_ones(s3: Any, provenance: str) -> None:
    keep(s3, provenance)
    other = replace(RUN, id="jr_2")
    body = s3.get_object(Bucket=provenance, Key=RUN.statement_key)["Body"].read()
    s3.put_object(Bucket=provenance, Key=other.statement_key, Body=body)
    with pytest.raises(BadRun, match="is the statement of run jr_1 of reconcile"):
        read_run(s3, KEY, provenance, job=RUN.job, run_id="jr_2", day=RUN.day)


def test_where_nothing_is_stated_nothing_is_believed(s3: Any, provenance: str) -> None:
    with pytest.raises(BadRun, match="there is none"):
        read(s3, provenance)


@pytest.mark.parametrize("name", [f"{PLACE}.json", f"{PLACE}.report.json"])
def test_what_somebody_encrypted_anew_is_believed_as_little(
    s3: Any, provenance: str, name: str
) -> None:
    keep(s3, provenance)
    encrypt_anew(s3, name)
    with pytest.raises(BadRun, match="AccessDenied"):
        read(s3, provenance)
