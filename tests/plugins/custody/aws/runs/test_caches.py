"""Of what lies among the caches, only what a run named is believed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.judging_runs import BASIS, PARTS, RUN
from tests.support.moto_aws import make_bucket
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.runs.caches import CacheTrust, named_files
from custody.aws.runs.keeping import keep_run
from custody.core.runs.files import WrittenFile, cache_folder, files_to_bytes
from custody.core.runs.model import JudgingRun
from custody.core.tlog.signed_note import NoteSigner

TABLE = "record_checks/"
DAY = RUN.day


@pytest.fixture
def analytics(s3: Any) -> str:
    return make_bucket(s3, "custody-test-analytics")


@pytest.fixture
def trust(provenance: str) -> CacheTrust:
    return CacheTrust(provenance, KEY, RUN.job, BASIS.trust)


def add(s3: Any, bucket: str, name: str, run: JudgingRun = RUN) -> WrittenFile:
    key = f"{cache_folder(TABLE, DAY, judged=run.day, run_id=run.id)}{name}.parquet"
    put = s3.put_object(Bucket=bucket, Key=key, Body=name.encode())
    return WrittenFile(key, put["VersionId"], hashlib.sha256(name.encode()).hexdigest())


def state(
    s3: Any,
    bucket: str,
    *files: WrittenFile,
    run: JudgingRun = RUN,
    trust: str = BASIS.trust,
    signer: NoteSigner = SIGNER,
) -> None:
    parts = {**PARTS, "files": files_to_bytes(files)}
    keep_run(s3, bucket, run, replace(BASIS, trust=trust), parts, signer=signer, key_arn="arn:k")


def found(s3: Any, bucket: str, trust: CacheTrust) -> set[WrittenFile]:
    return set(named_files(s3, bucket, TABLE, [DAY, DAY + timedelta(days=1)], trust))


def test_what_runs_named_is_found(
    s3: Any, provenance: str, analytics: str, trust: CacheTrust
) -> None:
    later = replace(RUN, id="jr_2", as_of=RUN.as_of + timedelta(days=1))
    first, second = add(s3, analytics, "a"), add(s3, analytics, "b", later)
    state(s3, provenance, first)
    state(s3, provenance, second, run=later)
    assert found(s3, analytics, trust) == {first, second}


def test_what_no_run_named_is_ignored(
    s3: Any, provenance: str, analytics: str, trust: CacheTrust
) -> None:
    named = add(s3, analytics, "a")
    state(s3, provenance, named)
    add(s3, analytics, "planted beside it")
    add(s3, analytics, "of a run that was killed", replace(RUN, id="jr_9"))
    s3.put_object(Bucket=analytics, Key=f"{TABLE}dt={DAY}/run=jr_1/old.parquet", Body=b"PAR1")
    s3.put_object(Bucket=analytics, Key=f"{TABLE}dt={DAY}/anything", Body=b"no parquet")
    assert found(s3, analytics, trust) == {named}


@pytest.mark.parametrize("removed", [False, True])
def test_what_was_replaced_or_removed_is_ignored(
    s3: Any, provenance: str, analytics: str, trust: CacheTrust, removed: bool
) -> None:
    kept, other = add(s3, analytics, "a"), add(s3, analytics, "b")
    state(s3, provenance, kept, other)
    if removed:
        s3.delete_object(Bucket=analytics, Key=other.key)
    else:
        s3.put_object(Bucket=analytics, Key=other.key, Body=b"forged")
    assert found(s3, analytics, trust) == {kept}


def test_the_caches_of_other_keys_are_made_again(
    s3: Any, provenance: str, analytics: str, trust: CacheTrust
) -> None:
    state(s3, provenance, add(s3, analytics, "a"), trust="00" * 32)
    assert found(s3, analytics, trust) == set()


def test_what_another_signed_is_not_believed(
    s3: Any, provenance: str, analytics: str, trust: CacheTrust
) -> None:
    state(s3, provenance, add(s3, analytics, "a"), signer=OTHER_SIGNER)
    assert found(s3, analytics, trust) == set()


def test_another_jobs_run_names_nothing(
    s3: Any, provenance: str, analytics: str, trust: CacheTrust
) -> None:
    state(s3, provenance, add(s3, analytics, "a"), run=replace(RUN, job="audit"))
    assert found(s3, analytics, trust) == set()


def test_a_run_names_only_its_own(
    s3: Any, provenance: str, analytics: str, trust: CacheTrust
) -> None:
    other = replace(RUN, id="jr_2")
    mine, planted = add(s3, analytics, "a"), add(s3, analytics, "b", other)
    state(s3, provenance, mine, planted)
    assert found(s3, analytics, trust) == {mine}
