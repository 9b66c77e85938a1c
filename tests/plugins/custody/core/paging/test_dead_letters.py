"""All overdue dead letters are one page, told once, and once more when the queue is empty."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.notices import notice

from custody.core.paging.dead_letters import DeadLetter, Look, overdue, page_about
from custody.core.paging.form import MARKER, MAX_MESSAGE_BYTES, document_of
from custody.core.records.notifications import object_created

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
GRACE = timedelta(minutes=30)


def letter(name="m1", minutes=31, *keys, problems=()):
    announced = tuple(object_created(notice(key=key)) for key in keys)
    return DeadLetter(name, NOW - timedelta(minutes=minutes), announced, problems)


def page(*letters, is_open=False, complete=True):
    look = Look("custody-dev-recorder-dlq", letters, complete)
    return page_about(look, is_open=is_open, now=NOW, grace=GRACE)


def test_what_is_within_its_grace_is_not_overdue():
    letters = [letter("b", 31), letter("c", 30), letter("a", 40), letter("d", 29)]
    assert [each.message_id for each in overdue(letters, now=NOW, grace=GRACE)] == ["a", "b"]


def test_the_page_names_the_object_versions():
    found = page(letter("m2", 31, "a\nb"), letter("m1", 45, "c", problems=("Records[1]: bad",)))
    assert found.subject == "DEAD_LETTERS (high) 2 messages in custody-dev-recorder-dlq"
    assert found.message_attributes == {
        "verdict": "DEAD_LETTERS",
        "severity": "high",
        "status": "open",
    }
    bucket = "custody-dev-raw-111122223333"
    version = "3HL4kqtJvjVBH40Nrjfkd"
    assert found.message.partition(f"\n{MARKER}\n")[0] == (
        "DEAD_LETTERS (high): the recorder gave up on messages; "
        "the object versions they announce have no record.\n"
        "\n"
        "what     2 messages older than 30 minutes, for example\n"
        f'  2026-11-01T07:15:00.000Z  "s3://{bucket}/c" version "{version}", message "m1"\n'
        '  2026-11-01T07:15:00.000Z  cannot be read: "Records[1]: bad", message "m1"\n'
        f'  2026-11-01T07:29:00.000Z  "s3://{bucket}/a\\u000ab" version "{version}", message "m2"\n'
        'where    queue "custody-dev-recorder-dlq"\n'
        "when     the oldest was first sent at 2026-11-01T07:15:00.000Z\n"
        "runbook  docs/runbooks/recorder-dead-letters.md\n"
        "incident DEAD_LETTERS/custody-dev-recorder-dlq\n"
    )
    body = document_of(found.message)
    assert (body["queue"], body["messages"], body["complete"]) == (
        "custody-dev-recorder-dlq",
        2,
        True,
    )
    assert [example.get("key") for example in body["examples"]] == ["c", None, "a\nb"]
    assert body["examples"][1]["problem"] == "Records[1]: bad"


@pytest.mark.parametrize("is_open", [True, False])
def test_a_message_within_its_grace_changes_nothing(is_open):
    assert page(letter("m1", 29, "a"), is_open=is_open) is None


def test_more_messages_are_no_news():
    assert page(letter("m1", 31, "a"), is_open=True) is None


def test_an_empty_queue_resolves_the_page_once():
    assert page() is None
    found = page(is_open=True)
    assert found.subject == "RESOLVED DEAD_LETTERS (high) custody-dev-recorder-dlq is empty"
    assert found.message_attributes["status"] == document_of(found.message)["status"] == "resolved"


def test_a_queue_whose_messages_others_hold_is_not_empty():
    assert page(is_open=True, complete=False) is None
    assert "at least 1 messages" in page(letter("m1", 31, "a"), complete=False).message


def test_a_full_queue_fits_a_page():
    long = "\U0001f600" * 255
    one = letter("m", 31, *[long] * 20, problems=("x" * 100_000,))
    many = [replace(one, message_id=f"m{n}") for n in range(1000)]
    found = page(*many)
    assert len(found.message.encode()) <= MAX_MESSAGE_BYTES
    assert len(document_of(found.message)["examples"]) == 10
