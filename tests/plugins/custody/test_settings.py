"""What a stage's settings say about honest witnesses, and how wrong settings are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from custody.core.formats.untrusted import MalformedInput
from custody.settings import KeyPeriod, Settings

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


def rotated(former: str) -> Settings:
    return Settings.parse(SETTINGS | {"former_signing_keys": former})


def test_the_policy_names_layers_writers_and_recorders() -> None:
    policy = Settings.parse(SETTINGS).policy(as_of=AS_OF, grace=timedelta(minutes=30))
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
    assert policy.writers_below == {
        "gold": {
            "gold": (f"{role}glue",),
            "quality": (f"{role}glue",),
            "reconciliation": (f"{role}audit",),
            "audit": (f"{role}audit",),
            "record_checks": (f"{role}audit",),
            "lineage_checks": (f"{role}audit",),
            "pages": (f"{role}airflow",),
            "publications": (f"{role}airflow",),
        }
    }
    assert policy.recorders == (f"{role}recorder", f"{role}recorder-large")
    assert policy.prefix_writers == {
        "provenance/lineage/": (f"{role}glue",),
        "provenance/runs/": (f"{role}audit",),
        "provenance/expiry/": (f"{role}audit",),
        "provenance/answers/": (f"{role}airflow", f"{role}on-call"),
        "seal/": (f"{role}audit",),
        "provenance/late/": (f"{role}recorder",),
    }
    assert policy.unhashed_writers == {"results": (f"{role}airflow", "athena.amazonaws.com")}
    assert policy.copiers == (f"{role}replication",)
    of_ours = ("glue", "audit", "airflow", "recorder", "recorder-large")
    services_only = (*of_ours, "cloudformation", "expiry", "replication")
    assert policy.assumed_by == {role + name: () for name in services_only}
    assert (policy.trail, policy.database) == ("custody-dev", "custody_dev")
    assert policy.catalog_writers == (f"{role}airflow",)
    assert (policy.as_of, policy.grace_text) == (AS_OF, "30 minutes")


def test_the_policy_names_the_deployment_and_what_is_called_otherwise() -> None:
    more = {
        "deployer_arns": "arn:aws:iam::111122223333:role/path/deployer",
        "airflow_trusted_arns": "arn:aws:iam::111122223333:user/engineer",
        "lineage_key_arn": "arn:aws:kms:eu-central-1:111122223333:key/l-1",
        "token_key_arn": "arn:aws:kms:eu-central-1:111122223333:key/t-1",
        "encryption_key_arns": "arn:aws:kms:eu-central-1:111122223333:key/e-1,arn:key/e-2",
    }
    policy = Settings.parse({**SETTINGS, **more}).policy(as_of=AS_OF, grace=timedelta(0))
    assert policy.deployment == "custody-dev"
    assert policy.deployers == (
        "arn:aws:iam::111122223333:role/path/deployer",
        "arn:aws:iam::111122223333:role/custody-dev-cloudformation",
    )
    assert policy.named == {
        "bucket": {"raw", "processed", "analytics", "provenance", "trail"},
        "database": {"custody_dev"},
        "key": {"arn:now", "l-1", "t-1", "e-1", "e-2"},
        "role": {"b", "deployer"},
        "trail": {"custody-dev"},
        "user": {"a", "engineer"},
    }
    role = "arn:aws:iam::111122223333:role/custody-dev-"
    assert policy.control_writers == {
        ("database", "set-up"): (f"{role}airflow",),
        ("job", "runs"): (f"{role}airflow", f"{role}recorder"),
    }


def test_a_trail_may_be_an_organizations_and_of_another_account() -> None:
    """Settings that were written before know neither."""
    own = Settings.parse(SETTINGS)
    assert (own.trail_id, own.trail_layout.organization_id) == ("custody-dev", "")
    told = {"trail_account_id": "111122223333", "organization_id": ""}
    assert Settings.parse(SETTINGS | told).trail_id == "custody-dev"
    told = {"trail_account_id": "999988887777", "organization_id": "o-abcdefghij"}
    of_organization = Settings.parse(SETTINGS | told)
    assert (
        of_organization.trail_id == "arn:aws:cloudtrail:eu-central-1:999988887777:trail/custody-dev"
    )
    assert of_organization.trail_layout.log_prefix == (
        "AWSLogs/o-abcdefghij/111122223333/CloudTrail/eu-central-1/"
    )


def test_lineage_is_stated_by_the_jobs_that_build() -> None:
    job = "arn:aws:glue:eu-central-1:111122223333:job/"
    assert Settings.parse(SETTINGS).builders == {f"{job}to-silver", f"{job}to-gold"}


def test_airflow_may_be_run_by_others_than_mwaa() -> None:
    trusted = "arn:aws:iam::111122223333:user/a,arn:aws:iam::111122223333:role/b"
    settings = {**SETTINGS, "airflow_trusted_arns": trusted}
    policy = Settings.parse(settings).policy(as_of=AS_OF, grace=timedelta(minutes=30))
    role = "arn:aws:iam::111122223333:role/custody-dev-"
    assert policy.assumed_by[f"{role}airflow"] == tuple(trusted.split(","))
    assert policy.assumed_by[f"{role}glue"] == ()
    assert policy.assumed_by[f"{role}expiry"] == ()
    assert policy.expirers == (f"{role}expiry",)


def test_the_trail_is_where_the_settings_say() -> None:
    layout = Settings.parse(SETTINGS).trail_layout
    assert layout.log_prefix == "AWSLogs/111122223333/CloudTrail/eu-central-1/"


@pytest.mark.parametrize("missing", ["raw_bucket", "uploader_arns", "partition", "stage"])
def test_a_missing_setting_is_named(missing: str) -> None:
    settings = {name: value for name, value in SETTINGS.items() if name != missing}
    with pytest.raises(MalformedInput, match=f"settings.{missing}: is missing"):
        Settings.parse(settings).policy(as_of=AS_OF, grace=timedelta(0))


def test_one_key_signs_for_ever_unless_another_did_before() -> None:
    assert Settings.parse(SETTINGS).signing_key_periods == [KeyPeriod("arn:now", EVER, None)]
    former = "arn:one=2026-11-05T00:00:00Z,arn:two=2026-12-01T12:00:00Z"
    first, second = datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert rotated(former).signing_key_periods == [
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
        _ = rotated(former).signing_key_periods


def test_settings_are_read_as_the_stack_stores_them() -> None:
    stored = json.dumps(SETTINGS | {"digest_seconds": "3600", "noncurrent_version_days": "90"})
    for document in (stored, stored.encode(), json.loads(stored)):
        settings = Settings.parse(document)
        assert settings.raw_bucket == "raw"
        assert settings.digest_seconds == timedelta(hours=1)
        assert settings.noncurrent_version_days == timedelta(days=90)
    assert Settings.parse({"digest_seconds": 60}).digest_seconds == timedelta(minutes=1)


def test_who_needs_some_settings_need_not_have_the_others() -> None:
    settings = Settings.parse({"signing_key_arn": "arn:now"}, what="signing_keys")
    assert settings.signing_key_periods == [KeyPeriod("arn:now", EVER, None)]
    with pytest.raises(MalformedInput, match=r"^signing_keys\.region: is missing"):
        _ = settings.region


@pytest.mark.parametrize("document", ["{", "[]", '{"a": 1, "a": 2}', b"\xff", None])
def test_a_document_that_holds_no_settings_is_refused(document: object) -> None:
    with pytest.raises(MalformedInput, match=r"^stage\.json: "):
        Settings.parse(document, what="stage.json")


@pytest.mark.parametrize("value", ["often", "0", "-1", "1.5", "", None, True, 0, -60, ["60"]])
def test_a_number_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(MalformedInput, match=r"^settings\.digest_seconds: "):
        _ = Settings.parse({"digest_seconds": value}).digest_seconds


def test_who_uploaded_before_is_retired_at_his_time() -> None:
    former = "arn:one=2026-11-05T00:00:00Z,arn:two=2026-11-04T12:00:00Z"
    policy = Settings.parse({**SETTINGS, "former_uploaders": former}).policy(
        as_of=AS_OF, grace=timedelta(0)
    )
    assert policy.retired == {
        "": {
            "arn:one": datetime(2026, 11, 5, tzinfo=UTC),
            "arn:two": datetime(2026, 11, 4, 12, tzinfo=UTC),
        }
    }
    with pytest.raises(MalformedInput, match="former_uploaders"):
        Settings.parse({**SETTINGS, "former_uploaders": "arn:one=soon"}).policy(
            as_of=AS_OF, grace=timedelta(0)
        )


def test_who_left_a_dataset_is_retired_from_that_one() -> None:
    former = "orders/arn:one=2026-11-05T00:00:00Z,arn:one=2026-11-04T12:00:00Z"
    settings = Settings.parse({**SETTINGS, "former_uploaders": former})
    assert settings.policy(as_of=AS_OF, grace=timedelta(0)).retired == {
        "incoming/orders/": {"arn:one": datetime(2026, 11, 5, tzinfo=UTC)},
        "": {"arn:one": datetime(2026, 11, 4, 12, tzinfo=UTC)},
    }


def test_each_uploader_may_write_the_datasets_whose_contracts_name_him() -> None:
    user, role = "arn:aws:iam::111122223333:user/a", "arn:aws:iam::111122223333:role/of/shop/b"
    people = {"uploader_arns": f"{user},{role}", "uploads": "customers orders=a,returns=b nobody"}
    policy = Settings.parse({**SETTINGS, **people}).policy(as_of=AS_OF, grace=timedelta(0))
    for key, writers in {
        "incoming/customers/x.csv": (user,),
        "incoming/orders/x.csv": (user,),
        "incoming/returns/x.csv": (role,),
        "incoming/smoke/x.txt": (user, role),
        "incoming/others/x.csv": (),
        "loose.csv": (),
    }.items():
        assert policy.writers_of("raw", key) == writers, key
    assert policy.writers["bronze"] == (user, role)


def test_by_settings_from_before_there_were_uploads_every_uploader_may_write_everything() -> None:
    before = Settings.parse(SETTINGS).policy(as_of=AS_OF, grace=timedelta(0))
    assert before.writers_of("raw", "incoming/any/x.csv") == before.writers["bronze"]
    none = Settings.parse({**SETTINGS, "uploads": ""}).policy(as_of=AS_OF, grace=timedelta(0))
    assert none.writers_of("raw", "incoming/any/x.csv") == ()


@pytest.mark.parametrize(
    "uploads", ["customers", "customers=", "customers=a,customers=b", "a b=c d e=f", "=a", 1]
)
def test_uploads_that_cannot_be_read_are_refused(uploads: object) -> None:
    with pytest.raises(MalformedInput, match=r"^settings\.uploads: "):
        _ = Settings.parse({**SETTINGS, "uploads": uploads}).uploads


def test_settings_are_known_by_what_they_say_however_it_is_written() -> None:
    settings = Settings.parse(SETTINGS)
    turned = json.dumps(dict(reversed(SETTINGS.items())), indent=2)
    assert Settings.parse(turned).sha256 == settings.sha256
    assert len(settings.sha256) == 64
    assert rotated("arn:old=2026-11-01T00:00:00Z").sha256 != settings.sha256


def test_what_differs_between_settings_is_named() -> None:
    settings = Settings.parse(SETTINGS)
    assert settings.differences(Settings.parse(json.dumps(SETTINGS))) == ()
    other = {**SETTINGS, "uploader_arns": "arn:x", "more": "x"}
    del other["stage"]
    assert settings.differences(Settings.parse(other)) == ("more", "stage", "uploader_arns")


def test_the_settings_parameter_has_the_name_that_the_stack_gives_it() -> None:
    assert Settings.parse(SETTINGS).parameter_name == "/custody/dev/airflow/variables/custody"
