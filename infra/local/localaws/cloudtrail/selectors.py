"""Which events a trail wants, S3's data events and all management events: its selectors.

Rules: `PutEventSelectors` in AWS's CloudTrail API reference. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localaws.cloudtrail.recording.events import Record, resource_arn

Selector = Mapping[str, Any]

_S3_OBJECT = "AWS::S3::Object"
_MANAGEMENT = "Management"


class SelectorError(ValueError):
    """A selector we cannot evaluate; the message names the field or operator."""


def wants(selectors: Sequence[Selector], record: Record) -> bool:
    """Whether any of a trail's selectors selects this event.

    Raises SelectorError for a field or operator AWS does not document.
    """
    return any(
        _advanced(selector, record) if "FieldSelectors" in selector else _basic(selector, record)
        for selector in selectors
    )


def _basic(selector: Selector, record: Record) -> bool:
    wanted = selector.get("ReadWriteType", "All")
    if wanted != "All" and (wanted == "ReadOnly") != record["readOnly"]:
        return False
    if record["eventCategory"] == _MANAGEMENT:
        left_out = selector.get("ExcludeManagementEventSources", [])
        included: bool = selector.get("IncludeManagementEvents", True)
        return included and record["eventSource"] not in left_out
    arn = resource_arn(record)
    # "arn:aws:s3" alone means every bucket; anything longer is a prefix of the object's ARN.
    return any(
        arn.startswith(value)
        for resource in selector.get("DataResources", [])
        if resource.get("Type") == _S3_OBJECT
        for value in resource.get("Values", [])
    )


def _is_management(record: Record) -> bool:
    return bool(record["eventCategory"] == _MANAGEMENT)


_FIELDS: dict[str, Callable[[Record], str]] = {
    "eventCategory": lambda record: record["eventCategory"],
    "eventName": lambda record: record["eventName"],
    "eventSource": lambda record: record["eventSource"],
    "eventType": lambda record: record["eventType"],
    "readOnly": lambda record: "true" if record["readOnly"] else "false",
    "resources.type": lambda record: "" if _is_management(record) else _S3_OBJECT,
    "resources.ARN": lambda record: "" if _is_management(record) else resource_arn(record),
    "userIdentity.arn": lambda record: record["userIdentity"].get("arn", ""),
    "sessionCredentialFromConsole": lambda _record: "",
}

_OPERATORS: dict[str, Callable[[str, Sequence[str]], bool]] = {
    "Equals": lambda value, wanted: value in wanted,
    "StartsWith": lambda value, wanted: value.startswith(tuple(wanted)),
    "EndsWith": lambda value, wanted: value.endswith(tuple(wanted)),
    "NotEquals": lambda value, unwanted: value not in unwanted,
    "NotStartsWith": lambda value, unwanted: not value.startswith(tuple(unwanted)),
    "NotEndsWith": lambda value, unwanted: not value.endswith(tuple(unwanted)),
}


def _advanced(selector: Selector, record: Record) -> bool:
    return all(_field_matches(condition, record) for condition in selector["FieldSelectors"])


def _field_matches(condition: Mapping[str, Any], record: Record) -> bool:
    field = condition.get("Field", "")
    read = _FIELDS.get(field)
    if read is None:
        raise SelectorError(f"event selector field {field!r}: use one of {', '.join(_FIELDS)}")
    value = read(record)
    for operator, operands in condition.items():
        if operator == "Field":
            continue
        compare = _OPERATORS.get(operator)
        if compare is None:
            raise SelectorError(f"event selector operator {operator!r} on {field}")
        if not compare(value, operands):
            return False
    return True
