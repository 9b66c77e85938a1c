"""`custody findings`: who is on call takes a finding on, in the name that AWS knows him by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.plugins.custody.cli.commands.test_report import state
from tests.support.audited import PROVENANCE, Platform, kms_of
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY

from custody.aws.answers.keeping import Answers
from custody.core.answers.model import Answer, Kind
from custody.reading.deployment import Deployment


@pytest.fixture
def finding(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> str:
    """A finding that stands, and the key that signs answers to it."""
    monkeypatch.setattr(Deployment, "kms", staticmethod(lambda _: kms_of(PRIVATE_KEY)))
    return state(platform)


def kept(platform: Platform) -> list[Answer]:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    found = Answers(kms_of(PRIVATE_KEY), PROVENANCE, KEY_ARN).since(platform.s3, yesterday)
    return [answer for given in found.values() for answer in given]


def told(platform: Platform) -> dict[str, Any]:
    (found,) = platform.custody("findings", "list", "--json").of_kind("finding")
    return dict(found)


def test_what_stands_is_listed_taken_on_and_closed(platform: Platform, finding: str) -> None:
    assert platform.custody("findings", "list").status == 1
    assert told(platform)["state"] == "open"
    taken = platform.custody("findings", "ack", finding[:8], "--reason", "I look", "--days", "3")
    assert taken.status == 0, taken.err
    (answer,) = kept(platform)
    assert (answer.finding, answer.reason, answer.user) == (finding, "I look", "")
    assert answer.by.startswith("arn:aws:")
    assert answer.until == answer.at + timedelta(days=3)
    assert (told(platform)["state"], told(platform)["by"]) == ("acknowledged", answer.by)
    assert platform.custody("findings", "list").status == 0
    assert platform.custody("findings", "close", finding, "--reason", "change 42").status == 0
    assert told(platform)["state"] == "closed"
    assert kept(platform)[-1].kind is Kind.CLOSED


@pytest.mark.parametrize(
    "arguments",
    [
        ("ack", "{finding}", "--reason", " "),
        ("close", "{short}", "--reason", "r"),
        ("close", "0000000000", "--reason", "r"),
        ("close",),
    ],
)
def test_what_is_no_answer_is_refused(
    platform: Platform, finding: str, arguments: tuple[str, ...]
) -> None:
    given = [text.format(finding=finding, short=finding[:7]) for text in arguments]
    assert platform.custody("findings", *given).status == 2
    assert kept(platform) == []


@pytest.mark.parametrize("days", ["0", "31", "10000000", "9" * 5000, "x", "-1"])
def test_a_term_of_another_form_is_refused(platform: Platform, finding: str, days: str) -> None:
    with pytest.raises(SystemExit) as refused:
        platform.custody("findings", "ack", finding, "--reason", "r", "--days", days)
    assert refused.value.code == 2
    assert kept(platform) == []
