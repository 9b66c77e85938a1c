"""Partitions show what the publication that counts says, whoever moved them and whenever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from tests.plugins.custody.aws.publications.test_keeping import ask, place
from tests.support.moto_aws import REGION
from tests.support.publications import ANALYTICS, DAY

from custody.aws.catalog import PartitionsNotMoved, Pointer, point_partitions
from custody.aws.publications import following
from custody.aws.publications.following import follow
from custody.aws.publications.keeping import latest

pytestmark = pytest.mark.usefixtures("buckets")


@pytest.fixture
def glue(s3: Any) -> Iterator[Any]:
    client = boto3.client("glue", region_name=REGION)
    client.create_database(DatabaseInput={"Name": "db"})
    table = {
        "Name": "silver_customers",
        "PartitionKeys": [{"Name": "dt", "Type": "string"}],
        "StorageDescriptor": {"Columns": [], "Location": "s3://x/"},
    }
    client.create_table(DatabaseName="db", TableInput=table)
    return client


def move(s3: Any, glue: Any, *days: str) -> list[str]:
    return follow(
        s3,
        glue,
        bucket=ANALYTICS,
        database="db",
        dataset="customers",
        days=days or [DAY],
        tables={"silver_customers": "s3://x/silver"},
    )


def shown(glue: Any) -> dict[str, str]:
    found = glue.get_partitions(DatabaseName="db", TableName="silver_customers")["Partitions"]
    return {each["Values"][0]: each["StorageDescriptor"]["Location"] for each in found}


def test_partitions_follow_and_what_is_right_is_not_touched(s3: Any, glue: Any) -> None:
    assert (move(s3, glue), shown(glue)) == ([], {})
    ask(s3, "jr_1")
    said = [f"silver_customers: dt={DAY} is in {place('jr_1')}"]
    assert (move(s3, glue, DAY, "2026-11-02"), shown(glue)) == (said, {DAY: place("jr_1")})
    calls: list[str] = []
    glue.meta.events.register("before-call.glue", lambda model, **_: calls.append(model.name))
    assert move(s3, glue) == []
    assert calls == ["BatchGetPartition"]


def test_a_move_that_nobody_published_is_undone(s3: Any, glue: Any) -> None:
    ask(s3, "jr_1")
    point_partitions(glue, "db", "silver_customers", [Pointer((DAY,), "s3://x/silver/run=forged/")])
    assert len(move(s3, glue)) == 1
    assert shown(glue) == {DAY: place("jr_1")}


def test_whoever_moves_last_moves_to_what_counts(
    s3: Any, glue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run publishes, and moves, between this one's look and its move."""
    ask(s3, "jr_1")

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(following, "point_partitions", point_partitions)
        ask(s3, "jr_2")
        move(s3, glue)
        return point_partitions(*arguments)

    monkeypatch.setattr(following, "point_partitions", late)
    assert [said.rpartition("/run=")[2] for said in move(s3, glue)] == ["jr_1/", "jr_2/"]
    assert shown(glue) == {DAY: place("jr_2")}


def test_a_publication_moves_no_table_to_where_it_does_not_lie(s3: Any, glue: Any) -> None:
    """Whoever planted it is found; until then readers see what they saw."""
    ask(s3, "jr_1")
    move(s3, glue)
    planted = latest(s3, ANALYTICS, "customers", DAY)
    assert planted
    elsewhere = replace(planted.shown[0], location="s3://of-others/rows/")
    planted = replace(planted, number=2, shown=(elsewhere,))
    s3.put_object(Bucket=ANALYTICS, Key=planted.key, Body=planted.to_bytes())
    assert latest(s3, ANALYTICS, "customers", DAY) == planted
    assert (move(s3, glue), shown(glue)) == ([], {DAY: place("jr_1")})


def test_many_days_move_a_hundred_at_a_time(s3: Any, glue: Any) -> None:
    publication = ask(s3, "jr_1")
    days = [f"2026-{month:02}-{day:02}" for month in range(1, 6) for day in range(1, 26)]
    body = publication.to_bytes()
    for day in days:
        key = f"publications/customers/dt={day}/000001.json"
        s3.put_object(Bucket=ANALYTICS, Key=key, Body=body.replace(DAY.encode(), day.encode()))
    assert len(move(s3, glue, *days)) == len(days) == 125
    assert set(shown(glue)) == set(days)


def test_a_table_that_is_moved_back_and_forth_is_given_up(
    s3: Any, glue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(s3, "jr_1")
    monkeypatch.setattr(following, "point_partitions", lambda *_: [])
    with pytest.raises(PartitionsNotMoved, match="again and again"):
        move(s3, glue)
