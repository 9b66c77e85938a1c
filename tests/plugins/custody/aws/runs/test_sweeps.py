"""What is known of versions without a record goes from audit to audit, in what each signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN
from tests.support.s3_answers import encrypt_anew
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.runs.keeping import keep_run
from custody.aws.runs.sweeps import swept_before
from custody.core.ledger.kinds.sweep import Sweep, Swept, SweptVersion
from custody.core.runs.model import JudgingRun
from custody.objects import ObjectVersion

AUDIT = replace(RUN, job="audit")


def sweep(sha256: str) -> Sweep:
    one = SweptVersion(ObjectVersion("raw", "a.csv", "v"), RUN.start, RUN.as_of, sha256, 5)
    return Sweep({one.version: one})


def at(days: int) -> datetime:
    return AUDIT.as_of + timedelta(days=days)


def audit(
    s3: Any, bucket: str, days: int, known: Sweep | None, signer: Any = SIGNER, **run: str
) -> JudgingRun:
    of = replace(AUDIT, id=f"jr_{days}", as_of=at(days), **run)
    report = replace(REPORT, sweep=known.to_document() if known else None)
    parts = {**PARTS, "report": report.to_bytes()}
    keep_run(s3, bucket, of, BASIS, parts, signer=signer, key_arn="arn:k")
    return of


def known(s3: Any, bucket: str, days: int = 9) -> Swept:
    return swept_before(s3, KEY, bucket, job="audit", as_of=at(days))


def test_the_last_audit_counts_and_no_other_run(s3: Any, provenance: str) -> None:
    assert known(s3, provenance) == {}
    audit(s3, provenance, 0, None)
    assert known(s3, provenance) == {}  # from before there was a sweep
    audit(s3, provenance, 1, sweep("aa" * 32))
    audit(s3, provenance, 2, sweep("bb" * 32))
    audit(s3, provenance, 3, sweep("cc" * 32), signer=OTHER_SIGNER)
    audit(s3, provenance, 4, sweep("dd" * 32), job="reconcile")
    assert known(s3, provenance) == sweep("bb" * 32).versions
    assert known(s3, provenance, days=1) == sweep("aa" * 32).versions


def test_a_report_that_cannot_be_read_is_passed_over(s3: Any, provenance: str) -> None:
    first = audit(s3, provenance, 1, sweep("aa" * 32))
    last = audit(s3, provenance, 2, sweep("bb" * 32))
    encrypt_anew(s3, last.key_of("report"))
    assert known(s3, provenance) == sweep("aa" * 32).versions
    encrypt_anew(s3, first.statement_key)
    assert known(s3, provenance) == {}


def test_one_that_is_no_sweep_stops_no_audit(s3: Any, provenance: str) -> None:
    report = replace(REPORT, sweep={"versions": "none"})
    parts = {**PARTS, "report": report.to_bytes()}
    keep_run(s3, provenance, AUDIT, BASIS, parts, signer=SIGNER, key_arn="arn:k")
    assert known(s3, provenance) == {}
