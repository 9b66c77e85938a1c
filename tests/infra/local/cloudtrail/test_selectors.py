"""Event selectors, basic and advanced, as PutEventSelectors documents them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.infra.local.cloudtrail.samples import COMPLETED, PLACE, actor, record

from localaws.cloudtrail.recording import management
from localaws.cloudtrail.recording.management import Answer, ApiCall
from localaws.cloudtrail.selectors import SelectorError, wants

PUT = record("PutObject", "incoming/customers/a.csv", bucket="raw")
GET = record("GetObject", "incoming/customers/a.csv", bucket="raw")
CALLER = "arn:aws:iam::111122223333:user/crm-export"
LIST = record("ListObjects", None, bucket="raw")


def basic(*values: str, read_write: str = "All", kind: str = "AWS::S3::Object") -> dict[str, Any]:
    return {"ReadWriteType": read_write, "DataResources": [{"Type": kind, "Values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "put", "get", "listing"),
    [
        (basic("arn:aws:s3"), True, True, True),
        (basic("arn:aws:s3:::"), True, True, True),
        (basic("arn:aws:s3:::raw/"), True, True, True),
        (basic("arn:aws:s3:::raw/incoming/"), True, True, False),
        (basic("arn:aws:s3:::ra/"), False, False, False),
        (basic("arn:aws:s3:::raw/", read_write="WriteOnly"), True, False, False),
        (basic("arn:aws:s3:::raw/", read_write="ReadOnly"), False, True, True),
        (basic("arn:aws:s3:::raw/", kind="AWS::Lambda::Function"), False, False, False),
        ({"ReadWriteType": "All", "IncludeManagementEvents": True}, False, False, False),
    ],
)
def test_basic_selectors(selector: dict[str, Any], put: bool, get: bool, listing: bool) -> None:
    assert [wants([selector], event) for event in (PUT, GET, LIST)] == [put, get, listing]


def advanced(**fields: dict[str, list[str]]) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ]
    conditions += [{"Field": name.replace("_", "."), **ops} for name, ops in fields.items()]
    return {"FieldSelectors": conditions}


@pytest.mark.parametrize(
    ("selector", "put", "get"),
    [
        (advanced(), True, True),
        (advanced(readOnly={"Equals": ["false"]}), True, False),
        (advanced(eventName={"Equals": ["PutObject", "DeleteObject"]}), True, False),
        (advanced(eventName={"NotStartsWith": ["Get", "Head"]}), True, False),
        (advanced(resources_ARN={"StartsWith": ["arn:aws:s3:::raw/", "x"]}), True, True),
        (advanced(resources_ARN={"NotStartsWith": ["arn:aws:s3:::raw/"]}), False, False),
        (advanced(resources_ARN={"EndsWith": [".csv"], "NotEndsWith": ["b.csv"]}), True, True),
        (advanced(userIdentity_arn={"NotEquals": [CALLER]}), False, False),
        ({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}, False, False),
    ],
)  # fmt: skip
def test_advanced_selectors(selector: dict[str, Any], put: bool, get: bool) -> None:
    assert [wants([selector], PUT), wants([selector], GET)] == [put, get]


STOPPED = management.build(
    ApiCall("cloudtrail", "StopLogging"),
    b"{}",
    actor(),
    Answer(200, {}, b"{}", "R1", COMPLETED),
    event_id="e1",
    shared_event_id="s1",
    place=PLACE,
)
MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({"ReadWriteType": "All"}, True),
        ({"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}, False),
        ({"IncludeManagementEvents": False}, False),
        ({"ExcludeManagementEventSources": ["cloudtrail.amazonaws.com"]}, False),
        ({"FieldSelectors": [MANAGEMENT]}, True),
        (
            {
                "FieldSelectors": [
                    MANAGEMENT,
                    {"Field": "eventSource", "NotEquals": ["cloudtrail.amazonaws.com"]},
                ]
            },
            False,
        ),
        (advanced(), False),
    ],
)
def test_management_events(selector: dict[str, Any], selected: bool) -> None:
    assert STOPPED is not None
    assert wants([selector], STOPPED) is selected


def test_any_selector_is_enough_and_none_is_not() -> None:
    assert wants([basic("arn:aws:s3:::other/"), basic("arn:aws:s3:::raw/")], PUT)
    assert not wants([], PUT)


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"Field": "eventHappiness", "Equals": ["high"]}, "eventHappiness"),
        ({"Field": "eventName", "Resembles": ["Put"]}, "Resembles"),
    ],
)
def test_what_we_cannot_evaluate_is_an_error_not_a_no(
    condition: dict[str, Any], named: str
) -> None:
    with pytest.raises(SelectorError, match=named):
        wants([{"FieldSelectors": [condition]}], PUT)
