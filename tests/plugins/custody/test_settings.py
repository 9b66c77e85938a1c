"""What a stage's settings say about honest witnesses, and how wrong settings are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from custody.core.formats.untrusted import MalformedInput
from custody.settings import (
    KeyPeriod,
    builders,
    policy_of,
    signing_key_periods,
    trail_layout,
)

SETTINGS = {
    "project": "custody",
    "stage": "dev",
    "partition": "aws",
    "account_id": "111122223333",
    "region": "eu-central-1",
    "raw_bucket": "raw",
    "processed_bucket": "processed",
    "analytics_bucket": "analytics",
    "provenance_bucket": "provenance",
    "trail_bucket": "trail",
    "trail_name": "custody-dev",
    "database": "custody_dev",
    "airflow_trusted_arns": "",
    "uploader_arns": "arn:aws:iam::111122223333:user/a,arn:aws:iam::111122223333:role/b",
    "bronze_to_silver_job": "to-silver",
    "silver_to_gold_job": "to-gold",
    "signing_key_arn": "arn:now",
    "former_signing_keys": "",
}
AS_OF = datetime(2026, 11, 1, 8, tzinfo=UTC)
EVER = datetime.min.replace(tzinfo=UTC)


def test_the_policy_names_layers_writers_and_recorders() -> None:
    policy = policy_of(SETTINGS, as_of=AS_OF, grace=timedelta(minutes=30))
    role = "arn:aws:iam::111122223333:role/custody-dev-"
    assert policy.layers == {
        "raw": "bronze",
        "processed": "silver",
        "analytics": "gold",
        "provenance": "provenance",
        "trail": "trail",
    }
    assert policy.writers == {
        "bronze": ("arn:aws:iam::111122223333:user/a", "arn:aws:iam::111122223333:role/b"),
        "silver": (f"{role}glue",),
        "gold": (f"{role}glue", f"{role}audit", f"{role}airflow"),
    }
    assert policy.recorders == (f"{role}recorder", f"{role}recorder-large")
    assert policy.prefix_writers == {
        "provenance/lineage/": (f"{role}glue",),
        "seal/": (f"{role}audit",),
    }
    services_only = ("glue", "audit", "airflow", "recorder", "recorder-large")
    assert policy.assumed_by == {role + name: () for name in services_only}
    assert (policy.trail, policy.database) == ("custody-dev", "custody_dev")
    assert policy.catalog_writers == (f"{role}airflow",)
    assert (policy.as_of, policy.grace_text) == (AS_OF, "30 minutes")


def test_lineage_is_stated_by_the_jobs_that_build() -> None:
    job = "arn:aws:glue:eu-central-1:111122223333:job/"
    assert builders(SETTINGS) == {f"{job}to-silver", f"{job}to-gold"}


def test_airflow_may_be_run_by_others_than_mwaa() -> None:
    trusted = "arn:aws:iam::111122223333:user/a,arn:aws:iam::111122223333:role/b"
    settings = {**SETTINGS, "airflow_trusted_arns": trusted}
    policy = policy_of(settings, as_of=AS_OF, grace=timedelta(minutes=30))
    role = "arn:aws:iam::111122223333:role/custody-dev-"
    assert policy.assumed_by[f"{role}airflow"] == tuple(trusted.split(","))
    assert policy.assumed_by[f"{role}glue"] == ()


def test_the_trail_is_where_the_settings_say() -> None:
    layout = trail_layout(SETTINGS)
    assert layout.log_prefix == "AWSLogs/111122223333/CloudTrail/eu-central-1/"


@pytest.mark.parametrize("missing", ["raw_bucket", "uploader_arns", "partition", "stage"])
def test_a_missing_setting_is_named(missing: str) -> None:
    settings = {name: value for name, value in SETTINGS.items() if name != missing}
    with pytest.raises(MalformedInput, match=f"settings.{missing}: is missing"):
        policy_of(settings, as_of=AS_OF, grace=timedelta(0))


def test_one_key_signs_for_ever_unless_another_did_before() -> None:
    assert signing_key_periods(SETTINGS) == [KeyPeriod("arn:now", EVER, None)]
    former = "arn:one=2026-11-05T00:00:00Z,arn:two=2026-12-01T12:00:00Z"
    first, second = datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert signing_key_periods(SETTINGS | {"former_signing_keys": former}) == [
        KeyPeriod("arn:one", EVER, first),
        KeyPeriod("arn:two", first, second),
        KeyPeriod("arn:now", second, None),
    ]


@pytest.mark.parametrize(
    "former",
    [
        "arn:one",
        "arn:one=soon",
        "arn:one=2026-11-05T00:00:00Z,arn:two=2026-11-05T00:00:00Z",
        "arn:one=2026-11-05T00:00:00Z,arn:two=2026-11-04T00:00:00Z",
    ],
)
def test_periods_that_cannot_be_are_refused(former: str) -> None:
    with pytest.raises(MalformedInput, match="former_signing_keys"):
        signing_key_periods(SETTINGS | {"former_signing_keys": former})
