"""Files that come after their day was built are found, by what the run that is shown has read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.contracts import deployed_contracts
from tests.support.moto_aws import KEY_ARN, make_bucket, signing_kms
from tests.support.publications import (
    ANALYTICS,
    BUILDERS,
    CONTRACT_VERSION,
    PROCESSED,
    PROVENANCE,
    silver_lineage,
)
from tests.support.s3_answers import withheld

from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.lineage.keeping import keep_lineage
from custody.aws.publications.keeping import publish
from custody.aws.publications.late import late_days
from custody.core.lineage.model import HashedObject, Run, statement_key
from custody.core.lineage.trust import Trust
from custody.core.publications.model import Asked, Shown, Why
from custody.objects import ObjectVersion

RAW = "custody-test-raw"
TODAY = datetime.now(UTC).date()
DAYS = [str(TODAY - timedelta(days=back)) for back in (0, 1, 2, 40)]
LATER = datetime.now(UTC) + timedelta(hours=1)
"""When nothing has landed for a while."""

(CUSTOMERS,) = (each for each in deployed_contracts() if each.dataset == "customers")

Land = Callable[[str, str], ObjectVersion]


@pytest.fixture
def land(s3: Any, buckets: None) -> Land:
    make_bucket(s3, RAW)

    def of(dt: str, name: str) -> ObjectVersion:
        key = f"incoming/customers/dt={dt}/{name}"
        return ObjectVersion(
            RAW, key, s3.put_object(Bucket=RAW, Key=key, Body=b"rows")["VersionId"]
        )

    return of


def build(s3: Any, dt: str, run_id: str, *read: ObjectVersion, why: Why = Why.BUILD) -> None:
    """A run has read these files of a day, and is shown."""
    output = ObjectVersion(PROCESSED, f"silver/customers/dt={dt}/run={run_id}/part-0", "v")
    lineage = replace(
        silver_lineage(run_id),
        run=Run(dt, run_id),
        inputs=tuple(HashedObject(version, "b1" * 32) for version in read),
        outputs=(HashedObject(output, "c1" * 32),),
        parameters={"dataset": "customers", "dt": dt},
    )
    keep_lineage(s3, signing_kms(), key_arn=KEY_ARN, bucket=PROVENANCE, lineage=lineage)
    show(s3, dt, run_id, why)


def show(s3: Any, dt: str, run_id: str, why: Why = Why.BUILD) -> None:
    place = f"s3://{PROCESSED}/silver/customers/dt={dt}/run={run_id}/"
    publish(
        s3,
        ANALYTICS,
        "customers",
        dt,
        why=why,
        asked=Asked(f"airflow-{run_id}", 0, None, None),
        shown=[Shown("silver_customers", run_id, place)],
    )


def late(
    s3: Any, now: datetime = LATER, contract: str = CONTRACT_VERSION
) -> dict[str, set[ObjectVersion]]:
    keys = fetch_public_keys(signing_kms(), BUILDERS.keys)
    found = late_days(
        s3,
        Trust(keys, frozenset({BUILDERS.silver_job})),
        BUILDERS,
        replace(CUSTOMERS, version=contract),
        raw_bucket=RAW,
        bucket=ANALYTICS,
        now=now,
    )
    return {day.dt: set(day.versions) for day in found}


def test_a_day_of_another_contract_is_left_to_people(
    s3: Any, land: Land, caplog: pytest.LogCaptureFixture
) -> None:
    """One late file would make all of its rows others."""
    day = DAYS[0]
    build(s3, day, "jr_1", land(day, "a.csv"))
    version = land(day, "b.csv")
    assert late(s3, contract="2.0.0") == {}
    assert f"{day}: 1 files came late; the day was built by the contract's" in caplog.text
    assert late(s3) == {day: {version}}


def test_a_day_is_late_for_what_its_shown_run_has_not_read(s3: Any, land: Land) -> None:
    first = {dt: land(dt, "a.csv") for dt in DAYS}
    for dt in DAYS:
        build(s3, dt, "jr_1", first[dt])
    assert late(s3) == {}

    second = {dt: land(dt, "b.csv") for dt in DAYS}
    land(DAYS[0], "")  # a folder marker is no file
    assert late(s3, datetime.now(UTC)) == {}, "more may be on its way"
    assert late(s3) == {dt: {second[dt]} for dt in DAYS[:3]}

    build(s3, DAYS[0], "jr_2", first[DAYS[0]], second[DAYS[0]])
    show(s3, DAYS[1], "jr_unsigned")
    build(s3, DAYS[2], "jr_2", why=Why.ROLLBACK)
    assert late(s3) == {}, "it is built, it is for the ledger, and somebody wants it so"


def test_what_nobody_can_read_of_one_day_hides_no_late_file_of_another(s3: Any, land: Land) -> None:
    for dt in DAYS[:2]:
        build(s3, dt, "jr_1")
    late_files = {dt: {land(dt, "a.csv")} for dt in DAYS[:2]}
    with withheld(s3, statement_key(Run(DAYS[0], "jr_1"))):
        assert late(s3) == {DAYS[1]: late_files[DAYS[1]]}
    assert late(s3) == late_files


def test_a_day_that_nobody_published_is_not_built_again(s3: Any, land: Land) -> None:
    land(DAYS[0], "a.csv")
    s3.put_object(Bucket=ANALYTICS, Key="publications/customers/dt=x/000001.json", Body=b"{}")
    show(s3, DAYS[1], "no run id: it names a place of others")
    assert late(s3) == {}
