"""What people were told is remembered; a page is found by its hour as long as it is open."""

import json

import pytest
from botocore.exceptions import ClientError
from tests.support.findings import finding as finding_of
from tests.support.moto_aws import refusal
from tests.support.s3_answers import encrypt_anew

from custody.aws.paging.pages import (
    is_queue_page_open,
    open_pages,
    page_states,
    remember,
    remember_queue_page,
    told_pages,
)
from custody.core.paging.findings import PageState

FINDER = "reconciliation"
SIX, SEVEN = ("2026-11-01", "06"), ("2026-11-01", "07")


def finding(name, time="2026-11-01T06:00:01Z", key="é {{ 1 / 0 }}\n"):
    return finding_of("CONFLICT", object_key=key, event_time=time, fingerprint=name)


def opened(name, **fields):
    return PageState(finding(name, **fields), is_open=True)


def resolved(name, **fields):
    return PageState(finding(name, **fields), is_open=False)


def names(states):
    return [state.finding.fingerprint for state in states]


def test_what_was_told_is_known(s3, raw):
    assert page_states(s3, raw, ["f1", "f2"]) == {}
    remember(s3, raw, FINDER, [opened("f1"), opened("f3")])
    assert page_states(s3, raw, ["f1", "f2", "f3"]) == {"f1": opened("f1"), "f3": opened("f3")}


def test_the_last_word_counts(s3, raw):
    for state in (opened("f1"), resolved("f1"), opened("f1")):
        remember(s3, raw, FINDER, [state])
        assert page_states(s3, raw, ["f1"]) == {"f1": state}


def test_open_pages_are_found_by_their_hours(s3, raw):
    remember(
        s3,
        raw,
        FINDER,
        [opened("a"), opened("b"), opened("later", time="2026-11-01T07:59:59Z"), resolved("d")],
    )
    remember(s3, raw, FINDER, [resolved("b")])
    assert names(open_pages(s3, raw, FINDER, [SIX])) == ["a"]
    assert names(open_pages(s3, raw, FINDER, [SIX, SEVEN])) == ["a", "later"]
    assert names(open_pages(s3, raw, FINDER, [("2026-11-01", "08")])) == []


def test_a_day_holds_its_hours_and_each_finder_has_its_own(s3, raw):
    remember(s3, raw, FINDER, [opened("a"), opened("later", time="2026-11-01T07:59:59Z")])
    remember(s3, raw, "audit", [opened("b"), opened("other-day", time="2026-11-02T06:00:00Z")])
    assert names(open_pages(s3, raw, FINDER, [("2026-11-01",)])) == ["a", "later"]
    assert names(open_pages(s3, raw, "audit", [("2026-11-01",)])) == ["b"]
    remember(s3, raw, "audit", [opened("b", time="2026-11-01T09:00:00Z")])
    assert names(open_pages(s3, raw, "audit", [("2026-11-01",)])) == ["b"]


def test_what_was_ever_told_is_listed_by_hours_or_days(s3, raw):
    remember(s3, raw, FINDER, [opened("a"), opened("later", time="2026-11-01T07:59:59Z")])
    remember(s3, raw, FINDER, [opened("next-day", time="2026-11-02T06:00:00Z"), resolved("a")])
    remember(s3, raw, "audit", [opened("b")])
    assert list(told_pages(s3, raw, FINDER, [SIX])) == ["a"]
    assert list(told_pages(s3, raw, FINDER, [("2026-11-01",)])) == ["a", "later"]


def test_a_reopened_page_is_found_again(s3, raw):
    for state in (opened("a"), resolved("a"), opened("a")):
        remember(s3, raw, FINDER, [state])
    assert names(open_pages(s3, raw, FINDER, [SIX])) == ["a"]


def test_a_page_that_moved_is_found_where_it_was_last_seen(s3, raw):
    moved = opened("a", time="2026-11-01T07:00:00Z")
    for state in (opened("a"), resolved("a"), moved):
        remember(s3, raw, FINDER, [state])
    assert names(open_pages(s3, raw, FINDER, [SIX, SEVEN])) == ["a"]
    assert names(open_pages(s3, raw, FINDER, [SIX])) == []


def test_more_pages_than_one_listing_holds(s3, raw):
    def one_at_a_time(params, **_):
        params["MaxKeys"] = 1

    s3.meta.events.register("provide-client-params.s3.ListObjectsV2", one_at_a_time)
    remember(s3, raw, FINDER, [opened(name) for name in "abc"])
    assert names(open_pages(s3, raw, FINDER, [SIX])) == ["a", "b", "c"]


@pytest.mark.parametrize("allowed", range(2))
def test_a_crash_in_between_leaves_nobody_told(s3, raw, allowed):
    """Then the page comes again, and is remembered whole."""
    calls = []

    def crash(**_):
        calls.append(None)
        return refusal("InternalError", 500) if len(calls) > allowed else None

    s3.meta.events.register("before-call.s3.PutObject", crash, unique_id="crash")
    with pytest.raises(ClientError):
        remember(s3, raw, FINDER, [opened("a")])
    s3.meta.events.unregister("before-call.s3.PutObject", unique_id="crash")
    assert page_states(s3, raw, ["a"]) == {}
    assert names(open_pages(s3, raw, FINDER, [SIX])) == []
    remember(s3, raw, FINDER, [opened("a")])
    assert names(open_pages(s3, raw, FINDER, [SIX])) == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"{}",
        b'{"open": true, "finding": {}}',
        b" " * 2_000_000,
        json.dumps(opened("another").to_json()).encode(),
    ],
)
def test_a_state_that_is_none_counts_as_nobody_told(s3, raw, body, caplog):
    remember(s3, raw, FINDER, [opened("a"), opened("b")])
    s3.put_object(Bucket=raw, Key="pages/findings/a.json", Body=body)
    assert list(page_states(s3, raw, ["a", "b"])) == ["b"]
    assert names(open_pages(s3, raw, FINDER, [SIX])) == ["b"]


def test_a_state_that_somebody_encrypted_anew_counts_as_nobody_told(s3, raw):
    remember(s3, raw, FINDER, [opened("a"), opened("b")])
    encrypt_anew(s3, "pages/findings/a.json")
    assert list(page_states(s3, raw, ["a", "b"])) == ["b"]


def test_what_was_told_of_a_queue_is_known(s3, raw):
    for is_open in (True, False, True):
        remember_queue_page(s3, raw, "dlq", is_open=is_open)
        assert is_queue_page_open(s3, raw, "dlq") is is_open
    assert not is_queue_page_open(s3, raw, "another")


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"open": "yes"}'])
def test_a_state_of_a_queue_that_is_none_counts_as_nobody_told(s3, raw, body):
    s3.put_object(Bucket=raw, Key="pages/queues/dlq.json", Body=body)
    assert not is_queue_page_open(s3, raw, "dlq")


def test_not_being_allowed_to_look_is_an_error(s3, raw):
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal("AccessDenied", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        page_states(s3, raw, ["f1"])


def test_nothing_is_ever_deleted(s3, raw):
    """The role may not, and versions are the history of what people were told."""
    s3.meta.events.register("before-call.s3.DeleteObject", lambda **_: refusal("No", 403))
    for state in (opened("a"), resolved("a")):
        remember(s3, raw, FINDER, [state])
    versions = s3.list_object_versions(Bucket=raw, Prefix="pages/findings/")["Versions"]
    assert len(versions) == 2
