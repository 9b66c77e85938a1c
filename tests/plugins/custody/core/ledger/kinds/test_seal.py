"""Every problem of the seal is a verdict that pages, about the defective object version."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.removals import INSIDER, NOON, POLICY, call

from custody.core.ledger.kinds.seal import VERDICTS, seal_row
from custody.core.paging.findings import SEVERITIES
from custody.core.seal.check import SealDefect, SealDefectKind
from custody.core.trail.events import TrailEvent
from custody.objects import ObjectVersion

PUT = replace(call(key="seal/checkpoint", version="c2"), name="PutObject")


def row(problem: SealDefectKind = SealDefectKind.ROLLBACK, touched: TrailEvent | None = None):
    return seal_row(
        SealDefect(problem, "checkpoint", "the log has 20 entries; it had 24"),
        ObjectVersion("provenance", "seal/checkpoint", "c2"),
        POLICY,
        call=touched,
    )


def test_every_problem_pages():
    assert VERDICTS.keys() == set(SealDefectKind)
    assert set(VERDICTS.values()) <= SEVERITIES.keys()


@pytest.mark.parametrize("problem", SealDefectKind)
def test_the_row_says_what_is_wrong_and_where(problem):
    found = row(problem)
    assert found.verdict == VERDICTS[problem]
    assert (found.bucket, found.object_key, found.version_id) == (
        "provenance",
        "seal/checkpoint",
        "c2",
    )
    assert (found.event_time, found.pipeline_layer) == (NOON, "provenance")
    assert problem.value in found.verdict_reason
    assert "it had 24" in found.verdict_reason
    assert (found.principal_arn, found.record_key) == (None, None)


def test_another_history_is_a_conflict_and_a_missing_quorum_is_not():
    assert row(SealDefectKind.OTHER_HISTORY).verdict == "CONFLICT"
    assert row(SealDefectKind.UNCOSIGNED).verdict == "UNCOSIGNED"


def test_whoever_touched_it_is_named():
    found = row(touched=PUT)
    assert found.principal_arn == INSIDER.arn
    assert "insider called PutObject on it at 2026-11-02 11:00:00" in found.verdict_reason
    assert (found.event_id, found.log_key) == ("e1", "log")


def test_an_unproven_event_names_nobody():
    found = row(touched=replace(PUT, proven=False))
    assert (found.principal_arn, found.log_key) == (None, None)
    assert "insider" not in found.verdict_reason
