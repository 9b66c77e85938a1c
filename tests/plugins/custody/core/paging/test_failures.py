"""A run that fails is one page until one succeeds."""

from __future__ import annotations

import pytest

from custody.core.paging.failures import page_about_run
from custody.core.paging.form import Page, document_of

RUNBOOK = "docs/runbooks/reconcile-failed.md"


def page(*, succeeded: bool, is_open: bool, run_id: str = "manual__1") -> Page | None:
    return page_about_run(
        "provenance_reconcile", run_id, succeeded=succeeded, is_open=is_open, runbook=RUNBOOK
    )


@pytest.mark.parametrize(
    ("succeeded", "is_open", "status"),
    [
        (False, False, "open"),
        (False, True, None),
        (True, True, "resolved"),
        (True, False, None),
    ],
)
def test_people_are_told_when_it_begins_to_fail_and_when_it_works_again(
    succeeded: bool, is_open: bool, status: str | None
) -> None:
    told = page(succeeded=succeeded, is_open=is_open)
    assert (told and told.message_attributes["status"]) == status


def test_the_page_says_which_run_and_where_to_look() -> None:
    told = page(succeeded=False, is_open=False, run_id="a\nb")
    assert told is not None
    assert told.subject == "RUN_FAILED (critical) provenance_reconcile"
    assert 'where    DAG "provenance_reconcile", run "a\\u000ab"' in told.message
    document = document_of(told.message)
    assert isinstance(document, dict)
    assert (document["dag"], document["run"], document["runbook"]) == (
        "provenance_reconcile",
        "a\nb",
        RUNBOOK,
    )


def test_the_page_leads_to_the_run() -> None:
    told = page_about_run(
        "custody_audit", "a/b", succeeded=False, is_open=False, runbook=RUNBOOK, airflow="https://a"
    )
    assert told is not None
    assert "https://a/dags/custody_audit/runs/a%2Fb" in told.message


def test_an_outage_of_twelve_hours_is_one_page_and_one_when_it_is_over() -> None:
    """Of KMS, say: it names nobody and no object. What was not judged is judged afterwards."""
    told: list[Page] = []
    is_open = False
    for succeeded in [True, *[False] * 12, True, True]:
        news = page(succeeded=succeeded, is_open=is_open)
        if news is not None:
            told.append(news)
            is_open = not is_open
    assert [each.message_attributes["status"] for each in told] == ["open", "resolved"]
    assert not any(
        {"principal", "principal_arn", "key"} & each.message_attributes.keys() for each in told
    )
