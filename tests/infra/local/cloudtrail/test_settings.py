"""The settings of delivery, from the environment."""

from __future__ import annotations

import pytest

from localaws.cloudtrail.settings import CloudTrailSettings
from localaws.settings import SettingsError


def test_defaults_deliver_soon_and_digest_hourly() -> None:
    settings = CloudTrailSettings.from_env({})
    assert (settings.delivery_seconds, settings.digest_seconds, settings.seed) == (2.0, 3600, 0)


def test_values_come_from_the_environment() -> None:
    settings = CloudTrailSettings.from_env(
        {
            "LOCAL_CLOUDTRAIL_DELIVERY_SECONDS": "0.5",
            "LOCAL_CLOUDTRAIL_DIGEST_SECONDS": "60",
            "LOCAL_CLOUDTRAIL_SEED": "7",
        }
    )
    assert (settings.delivery_seconds, settings.digest_seconds, settings.seed) == (0.5, 60, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOCAL_CLOUDTRAIL_DELIVERY_SECONDS", "0"),
        ("LOCAL_CLOUDTRAIL_DELIVERY_SECONDS", "soon"),
        ("LOCAL_CLOUDTRAIL_DELIVERY_SECONDS", "nan"),
        ("LOCAL_CLOUDTRAIL_DIGEST_SECONDS", "0"),
        ("LOCAL_CLOUDTRAIL_DIGEST_SECONDS", "1.5"),
        ("LOCAL_CLOUDTRAIL_SEED", "-1"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}='{value}'"):
        CloudTrailSettings.from_env({name: value})
