"""A message that failed is tried again within the grace, and for a day."""

from itertools import accumulate
from pathlib import Path

import yaml

from custody.core.records.retries import retry_seconds

QUEUE = Path(__file__).parents[5] / "infra" / "cloudformation" / "queue.yaml"
GRACE_SECONDS = 30 * 60


class _Template(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, which are passed over."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, node: node.value)


def tries() -> list[int]:
    """When each try is, in seconds after the first, before the message is given up."""
    template = yaml.load(QUEUE.read_text(), _Template)  # noqa: S506 - a safe loader
    most = template["Resources"]["Queue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    waits = (retry_seconds(n, may_pass=True) for n in range(1, most))
    return [0, *accumulate(waits)]


def test_what_may_pass_is_tried_again_soon_and_for_a_day() -> None:
    assert tries()[:6] == [0, 60, 180, 420, 900, 1800]
    assert sum(at < GRACE_SECONDS for at in tries()) == 5
    assert tries()[-1] >= 12 * 3600 * 2, "an outage of twelve hours loses nothing, twice over"
    gaps = [later - at for at, later in zip(tries(), tries()[1:], strict=False)]
    assert max(gaps) == 900


def test_what_does_not_pass_is_given_up_soon() -> None:
    assert {retry_seconds(n, may_pass=False) for n in (1, 5, 100)} == {0}


def test_a_count_that_sqs_does_not_give_is_one() -> None:
    assert retry_seconds(0, may_pass=True) == retry_seconds(1, may_pass=True)
    assert retry_seconds(10**9, may_pass=True) == 900
