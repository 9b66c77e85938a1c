"""A day's publications are numbered, each is written once, and the last one counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.publications import ANALYTICS, DAY

from custody.aws.publications import keeping
from custody.aws.publications.keeping import Overtaken, latest, publish, published_since
from custody.core.publications.model import Asked, Publication, Shown, Why

pytestmark = pytest.mark.usefixtures("buckets")


def place(run: str) -> str:
    """Where a run wrote the day."""
    return f"s3://x/silver/dt={DAY}/run={run}/"


def ask(s3: Any, run: str, *, by: str = "", why: Why = Why.BUILD, cleared: int = 0) -> Publication:
    return publish(
        s3,
        ANALYTICS,
        "customers",
        DAY,
        why=why,
        asked=Asked(by or f"airflow-{run}", cleared, None, None),
        shown=[Shown("silver_customers", run, place(run))],
    )


def counts(s3: Any) -> tuple[int, str] | None:
    found = latest(s3, ANALYTICS, "customers", DAY)
    return None if found is None else (found.number, found.shown[0].run)


def test_the_last_publication_counts(s3: Any) -> None:
    assert counts(s3) is None
    for number, run in enumerate(["jr_1", "jr_2", "jr_1"], start=1):
        assert ask(s3, run, by=f"airflow-{number}").number == number
        assert counts(s3) == (number, run)
    assert latest(s3, ANALYTICS, "customers", "2026-11-02") is None
    assert latest(s3, ANALYTICS, "orders", DAY) is None


def test_a_try_that_was_killed_publishes_nothing_twice(s3: Any) -> None:
    ask(s3, "jr_1")
    assert ask(s3, "jr_1").number == 1
    ask(s3, "jr_2")
    # Another run published in between: it stays.
    assert (ask(s3, "jr_1").number, counts(s3)) == (2, (2, "jr_2"))
    # Who clears the task wants it again.
    assert (ask(s3, "jr_1", cleared=1).number, counts(s3)) == (3, (3, "jr_1"))
    assert ask(s3, "jr_1", by="another").number == 3, "it is shown already"


def test_a_rollback_to_what_is_shown_is_a_word_of_its_own(s3: Any) -> None:
    """The day stays so from then on, until somebody builds it again."""
    ask(s3, "jr_1")
    assert ask(s3, "jr_1", by="ana", why=Why.ROLLBACK).number == 2
    assert ask(s3, "jr_1", by="bob", why=Why.ROLLBACK).number == 2
    assert ask(s3, "jr_1", by="another build").number == 2
    found = latest(s3, ANALYTICS, "customers", DAY)
    assert found is not None
    assert (found.why, found.asked.airflow_run) == (Why.ROLLBACK, "ana")


def test_of_two_at_once_one_goes_after_the_other(s3: Any, monkeypatch: Any) -> None:
    put, others = keeping.put_if_absent, iter(["jr_2", "jr_3"])

    def overtaken(*arguments: Any) -> bool:
        """Somebody is faster, twice."""
        if (other := next(others, None)) is not None:
            with monkeypatch.context() as alone:
                alone.setattr(keeping, "put_if_absent", put)
                ask(s3, other)
        return put(*arguments)

    monkeypatch.setattr(keeping, "put_if_absent", overtaken)
    assert ask(s3, "jr_1").number == 3
    assert counts(s3) == (3, "jr_1")


def test_who_is_overtaken_forever_says_so(s3: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(keeping, "put_if_absent", lambda *_: False)
    with pytest.raises(Overtaken, match="customers, 2026-11-01: others published it 10 times"):
        ask(s3, "jr_1")


def test_what_is_no_publication_stands_in_nobodys_way(s3: Any) -> None:
    ask(s3, "jr_1")
    place = f"publications/customers/dt={DAY}/"
    for name in ("000002.json", "000003.txt", "x/000009.json"):
        s3.put_object(Bucket=ANALYTICS, Key=place + name, Body=b"{}")
    assert counts(s3) == (1, "jr_1")
    assert ask(s3, "jr_2").number == 3
    assert counts(s3) == (3, "jr_2")


def test_the_days_that_were_published_lately(s3: Any) -> None:
    ask(s3, "jr_1")
    now = datetime.now(UTC)
    assert published_since(s3, ANALYTICS, "customers", now - timedelta(minutes=5)) == [DAY]
    assert published_since(s3, ANALYTICS, "customers", now + timedelta(minutes=5)) == []
    assert published_since(s3, ANALYTICS, "orders", now - timedelta(minutes=5)) == []
