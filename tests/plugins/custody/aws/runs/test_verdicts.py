"""The verdicts that count are found by what the runs state, whatever the catalog says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests.support.judging_runs import BASIS, END, PARTS, RUN
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.runs.keeping import keep_run
from custody.aws.runs.verdicts import verdict_files
from custody.core.runs.files import WrittenFile, files_to_bytes, verdicts_folder
from custody.core.runs.model import JudgingRun
from custody.core.tlog.signed_note import NoteSigner

DAY = date(2026, 11, 1)
HOUR = timedelta(hours=1)
LATER = replace(RUN, id="jr_2", as_of=RUN.as_of + HOUR, start=RUN.start + HOUR, end=END + HOUR)


def files(run: JudgingRun, *hours: str, name: str = "a") -> list[WrittenFile]:
    folders = (verdicts_folder(run.id, ("2026-11-01", hour)) for hour in hours)
    return [WrittenFile(f"{folder}/{name}.parquet", "v", "aa" * 32) for folder in folders]


def state(
    s3: Any, bucket: str, run: JudgingRun, *named: WrittenFile, signer: NoteSigner = SIGNER
) -> None:
    parts = {**PARTS, "files": files_to_bytes(named)}
    keep_run(s3, bucket, run, BASIS, parts, signer=signer, key_arn="arn:k")


def found(s3: Any, bucket: str) -> set[str]:
    listed = verdict_files(
        s3, KEY, bucket, job=RUN.job, first=DAY, last=DAY, today=DAY + timedelta(days=1)
    )
    return {file.key for file in listed}


def keys(some: list[WrittenFile]) -> set[str]:
    return {file.key for file in some}


def test_of_each_hour_the_files_of_its_last_judge_count(s3: Any, provenance: str) -> None:
    first, later = files(RUN, "04", "05", "06"), files(LATER, "06", "08")
    state(s3, provenance, RUN, *first)
    state(s3, provenance, LATER, *later)
    # What the first wrote of 05 and 06 was judged anew; of 05 the later run found nothing.
    assert found(s3, provenance) == keys(files(RUN, "04")) | keys(later)


def test_a_run_that_judged_another_day_counts(s3: Any, provenance: str) -> None:
    again = replace(RUN, id="jr_3", as_of=RUN.as_of + timedelta(days=1))
    state(s3, provenance, RUN, *files(RUN, "04"))
    state(s3, provenance, again, *files(again, "05"))
    assert found(s3, provenance) == keys(files(again, "05"))


def test_a_run_speaks_of_its_own_files_alone(s3: Any, provenance: str) -> None:
    state(s3, provenance, RUN, *files(LATER, "04"), *files(RUN, "05"))
    assert found(s3, provenance) == keys(files(RUN, "05"))


def test_what_another_signed_or_another_job_judged_counts_for_nothing(
    s3: Any, provenance: str
) -> None:
    state(s3, provenance, RUN, *files(RUN, "04"))
    state(s3, provenance, LATER, *files(LATER, "06"), signer=OTHER_SIGNER)
    audit = replace(LATER, id="jr_4", job="audit")
    state(s3, provenance, audit, *files(audit, "07"))
    s3.put_object(Bucket=provenance, Key="provenance/runs/dt=2026-11-01/x.json", Body=b"rubbish")
    s3.delete_object(Bucket=provenance, Key=RUN.statement_key)
    assert found(s3, provenance) == keys(files(RUN, "04"))
