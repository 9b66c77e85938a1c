"""A trail's setup as CloudTrail tells it, held against the settings of the deployment."""

from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.custody.core.trail.test_setup import deployed

from custody.aws.trail.setup import setup_defects
from custody.settings import Settings

KEY = "arn:aws:kms:us-east-1:111122223333:key/trail"
SETTINGS = Settings.parse(
    {
        "project": "custody",
        "stage": "dev",
        "partition": "aws",
        "account_id": "111122223333",
        "region": "us-east-1",
        "trail_bucket": "custody-dev-trail-1",
        "trail_name": "custody-dev",
        "encryption_key_arns": KEY,
    }
)


class CloudTrail:
    """What CloudTrail tells of one trail."""

    def __init__(
        self, *, there: bool = True, selectors: list[dict[str, Any]] | None = None
    ) -> None:
        trail = {"KmsKeyId": KEY, "IncludeGlobalServiceEvents": True}
        self._trails = [trail] if there else []
        self._selectors = deployed() if selectors is None else selectors

    def describe_trails(self, trailNameList: list[str]) -> Any:  # noqa: N803 - botocore's
        assert trailNameList == ["custody-dev"]
        return {"trailList": self._trails}

    def get_event_selectors(self, TrailName: str) -> Any:  # noqa: N803 - botocore's
        assert TrailName == "custody-dev"
        return {"AdvancedEventSelectors": self._selectors}


@pytest.mark.parametrize("trail", [CloudTrail(), CloudTrail(there=False)])
def test_a_trail_that_is_as_it_was_deployed_has_no_defect(trail: Any) -> None:
    assert setup_defects(trail, SETTINGS) == []


def test_a_trail_of_another_account_is_for_that_one_to_set_up() -> None:
    theirs = Settings.parse(dict(SETTINGS.fields.values) | {"trail_account_id": "999999999999"})
    trail: Any = CloudTrail(selectors=[])
    assert setup_defects(trail, theirs) == []
    assert setup_defects(trail, SETTINGS) != []


def test_a_trail_that_looks_away_is_one_defect_that_says_from_what() -> None:
    trail: Any = CloudTrail(selectors=deployed()[2:])
    (defect,) = setup_defects(trail, SETTINGS)
    assert defect.key == SETTINGS.trail_layout.digest_prefix
    assert "writes to the platform's buckets" in defect.reason
    assert "what people and roles do to the trail" in defect.reason
