"""A trail that no longer sees what it was deployed to see says so at every run."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from custody.core.trail.setup import TrailSetup, needed_selectors, selectors_of, setup_reasons

TEMPLATE = Path(__file__).parents[5] / "infra" / "cloudformation" / "trail.yaml"
PLACE = {
    "${AWS::Partition}": "aws",
    "${Project}": "custody",
    "${Stage}": "dev",
    "${TrailBucket}": "custody-dev-trail-1",
    "${AWS::AccountId}": "111122223333",
}
NEEDED = needed_selectors(
    partition="aws",
    account_id="111122223333",
    deployment="custody-dev",
    trail_bucket="custody-dev-trail-1",
)
KEY = "arn:aws:kms:us-east-1:111122223333:key/trail"


class _Template(yaml.SafeLoader):
    """YAML with CloudFormation's short functions: `!Sub` is filled in, of `!If` the first."""


def _filled(_loader: Any, suffix: str, node: Any) -> Any:
    if suffix == "If":
        return _loader.construct_sequence(node, deep=True)[1]
    if suffix == "Sub":
        text = str(node.value)
        for name, value in PLACE.items():
            text = text.replace(name, value)
        return text
    return node.value


_Template.add_multi_constructor("!", _filled)


def deployed() -> list[dict[str, Any]]:
    template = yaml.load(TEMPLATE.read_text(), _Template)  # noqa: S506 - a safe loader
    selectors: list[dict[str, Any]] = template["Resources"]["Trail"]["Properties"][
        "AdvancedEventSelectors"
    ]
    return selectors


def setup(described: list[dict[str, Any]], **changes: Any) -> TrailSetup:
    return TrailSetup(
        **{"selectors": selectors_of(described), "key_arn": KEY, "global_services": True} | changes
    )


def test_what_is_needed_is_what_the_template_deploys() -> None:
    assert set(NEEDED.values()) < selectors_of(deployed()), "reads are selected beside it"
    assert len(deployed()) == len(NEEDED) + 1
    for selectors in (deployed(), deployed()[:-1], list(reversed(deployed()))):
        assert setup_reasons(setup(selectors), NEEDED, [KEY]) == []


@pytest.mark.parametrize("gone", range(5))
def test_each_selector_is_missed_that_is_gone_or_narrowed(gone: int) -> None:
    without = [selector for n, selector in enumerate(deployed()) if n != gone]
    narrowed = deployed()
    narrowed[gone]["FieldSelectors"].append({"Field": "eventName", "NotEquals": ["DeleteObject"]})
    for selectors in (without, narrowed):
        (reason,) = setup_reasons(setup(selectors), NEEDED, [KEY])
        assert reason == (
            f"The trail does not select {list(NEEDED)[gone]} as it was deployed to: what happens "
            "is in no log."
        )
    assert len(setup_reasons(setup([]), NEEDED, [KEY])) == 5


def test_it_encrypts_and_covers_as_it_was_deployed() -> None:
    (other,) = setup_reasons(setup(deployed(), key_arn=f"{KEY}-2"), NEEDED, [KEY])
    assert other.endswith(f"than it was deployed to: {KEY}-2.")
    (none,) = setup_reasons(setup(deployed(), key_arn=None), NEEDED, [KEY])
    assert none.endswith("none of ours.")
    assert setup_reasons(setup(deployed(), key_arn=None), NEEDED, []) == []
    (globally,) = setup_reasons(setup(deployed(), global_services=False), NEEDED, [KEY])
    assert "in no region" in globally
