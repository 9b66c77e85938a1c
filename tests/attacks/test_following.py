"""A runbook leads to somebody only where one row tells both of him and of his call."""

import json

import pytest
from tests.support.walks import Walk, of_whole_files

INSIDER = "arn:aws:iam::111122223333:user/insider"
ADMIN = "arn:aws:iam::111122223333:user/platform-engineer"
HIS = {"eventtime": "t", "eventname": "PutObject", "eventid": "e1", "arn": INSIDER}
HERS = {"eventtime": "t", "eventname": "DeleteObject", "eventid": "e2", "arn": ADMIN}


def kept(event: dict[str, str], **more: object) -> str:
    """As CloudTrail's own history has it."""
    told = {
        "eventName": event["eventname"],
        "eventID": event["eventid"],
        "userIdentity": {"arn": event["arn"]},
        **more,
    }
    return json.dumps({"Events": [{"CloudTrailEvent": json.dumps(told)}]})


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps([HERS, HIS]),
        json.dumps([{"principal_arn": INSIDER, "event_id": "e1"}]),
        kept(HIS),
    ],
    ids=["the trail", "the ledger", "the history"],
)
def test_a_row_tells_of_a_call_and_whose_it_was(answer: str) -> None:
    walk = Walk(("no JSON", "[]", '{"Versions": []}', answer))
    assert walk.shows(INSIDER, "e1")
    assert not walk.shows(INSIDER, "e2")
    assert not walk.shows(ADMIN, "e1")


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps([HERS | {"requestparameters": json.dumps({"policy": [INSIDER, "PutObject"]})}]),
        kept(HERS, requestParameters={"policy": INSIDER}, eventSource="PutObject"),
        json.dumps([{"arn": INSIDER}, {"eventname": "PutObject"}]),
        f"{INSIDER} PutObject",
    ],
)
def test_who_is_only_named_in_what_another_asked_for_did_nothing(answer: str) -> None:
    assert not Walk((answer,)).shows(INSIDER, "PutObject")


@pytest.mark.parametrize("table", ["cloudtrail_logs", "hash_records"])
@pytest.mark.parametrize("end", ["", "\nORDER BY eventtime", "\nGROUP BY eventname\nORDER BY 1"])
def test_a_query_leaves_out_what_is_broken(table: str, end: str) -> None:
    asked = f"SELECT 1\nFROM {table}\nWHERE eventid = 'e1'{end}"
    left_out = "\n    AND \"$path\" <> 's3://t/a.json.gz'\n    AND \"$path\" <> 's3://t/b.json.gz'"
    done = of_whole_files(asked, ["s3://t/a.json.gz", "s3://t/b.json.gz"])
    assert done == f"SELECT 1\nFROM {table}\nWHERE eventid = 'e1'{left_out}{end}"
    assert of_whole_files(asked, []) == asked


def test_a_query_of_another_table_is_asked_as_it_is() -> None:
    assert of_whole_files("SELECT 1\nFROM p", ["s3://t/a.json.gz"]) == "SELECT 1\nFROM p"
