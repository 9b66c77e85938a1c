"""The last run is the one that the seal's key signed, whatever hides or imitates its statement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.judging_runs import BASIS, PARTS, RUN
from tests.support.s3_answers import encrypt_anew
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.runs.keeping import keep_run
from custody.aws.runs.last import last_run
from custody.aws.s3.errors import ObjectWithheld
from custody.core.runs.chain import Link, Reached
from custody.core.runs.model import JudgingRun
from custody.core.tlog.signed_note import NoteKey, NoteSigner, RenewedKey

HOUR = timedelta(hours=1)


def later(hours: int, run_id: str = "", job: str = RUN.job) -> JudgingRun:
    as_of = RUN.as_of + hours * HOUR
    return replace(RUN, id=run_id or f"jr_{hours}", job=job, as_of=as_of)


def link(hours: int) -> Link:
    return Link(Reached.nothing(RUN.start + hours * HOUR), RUN.statement_key)


def state(s3: Any, bucket: str, run: JudgingRun, hours: int, signer: NoteSigner = SIGNER) -> None:
    keep_run(s3, bucket, run, BASIS, PARTS, signer=signer, key_arn="arn:k", link=link(hours))


def last(s3: Any, bucket: str, hours: int = 100) -> tuple[JudgingRun, Link | None] | None:
    as_of = RUN.as_of + hours * HOUR
    found = last_run(s3, KEY, bucket, job=RUN.job, as_of=as_of)
    return (found.run, found.link) if found else None


def test_the_last_is_found_over_days(s3: Any, provenance: str) -> None:
    assert last(s3, provenance) is None
    for hours in (0, 1, 20, 13):
        state(s3, provenance, later(hours), hours)
    assert last(s3, provenance) == (later(20), link(20))
    assert last(s3, provenance, hours=19) == (later(13), link(13))


def test_what_is_hidden_still_counts(s3: Any, provenance: str) -> None:
    """Also all of it: hours that nobody judged are not forgotten by hiding who says so."""
    for hours in (0, 20):
        state(s3, provenance, later(hours), hours)
        s3.delete_object(Bucket=provenance, Key=later(hours).statement_key)
        s3.put_object(Bucket=provenance, Key=later(hours).statement_key, Body=b"rubbish")
        s3.delete_object(Bucket=provenance, Key=later(hours).statement_key)
    assert last(s3, provenance) == (later(20), link(20))


def test_what_another_signed_or_another_job_judged_moves_nothing(s3: Any, provenance: str) -> None:
    state(s3, provenance, RUN, 0)
    state(s3, provenance, later(2), 900, signer=OTHER_SIGNER)
    state(s3, provenance, later(3, job="audit"), 900)
    honest = s3.get_object(Bucket=provenance, Key=RUN.statement_key)["Body"].read()
    for place in (later(4).statement_key, "provenance/runs/dt=2026-11-09/jr_1.json"):
        s3.put_object(Bucket=provenance, Key=place, Body=honest)
    s3.put_object(Bucket=provenance, Key="provenance/runs/dt=tomorrow/jr_9.json", Body=honest)
    assert last(s3, provenance) == (RUN, link(0))


def test_a_new_key_of_the_seal_goes_on_with_the_chain(s3: Any, provenance: str) -> None:
    """Else the hours that are still open, and those that nobody judged, would be forgotten."""
    state(s3, provenance, later(0), 0)
    new = OTHER_SIGNER.key
    renewed = RenewedKey(new.name, new.public_key, (KEY,))
    as_of = RUN.as_of + 100 * HOUR

    def last_by(key: NoteKey) -> JudgingRun | None:
        found = last_run(s3, key, provenance, job=RUN.job, as_of=as_of)
        return found.run if found else None

    assert last_by(new) is None
    assert last_by(renewed) == later(0)
    state(s3, provenance, later(1), 1, signer=NoteSigner(renewed, OTHER_SIGNER.sign))
    assert last_by(renewed) == later(1)


def test_a_statement_that_somebody_encrypted_anew_does_not_stop_the_runs(
    s3: Any, provenance: str
) -> None:
    """What he did to it is in the trail; the hours since the one before are judged once more."""
    for hours in (0, 20):
        state(s3, provenance, later(hours), hours)
    encrypt_anew(s3, later(20).statement_key)
    assert last(s3, provenance) == (later(0), link(0))
    encrypt_anew(s3, later(0).statement_key)
    with pytest.raises(ObjectWithheld):  # else the chain would begin anew, and leave hours out
        last(s3, provenance)


def test_what_was_stored_before_its_time_moves_nothing(s3: Any, provenance: str) -> None:
    """Else who forges one for tomorrow has the hours until then pass for judged."""
    state(s3, provenance, RUN, 0)
    tomorrow = replace(RUN, id="jr_9", as_of=datetime.now(UTC) + timedelta(days=1))
    state(s3, provenance, tomorrow, 1)
    found = last_run(s3, KEY, provenance, job=RUN.job, as_of=tomorrow.as_of + HOUR)
    assert found is not None
    assert found.run == RUN
