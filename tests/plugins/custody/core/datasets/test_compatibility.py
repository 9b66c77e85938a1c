"""What of a changed contract breaks, and that its version has to say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from custody.core.datasets.compatibility import changes, refusals
from custody.core.datasets.contracts import Contract, contract_of

FILE = "returns.odcs.yaml"
JSON_LINES = (Path(__file__).parents[4] / "datasets" / "returns" / FILE).read_text(encoding="utf-8")
BEFORE = JSON_LINES[: JSON_LINES.index("servers:")]  # CSV, as no server says otherwise

GIFT = BEFORE[BEFORE.index("      - name: is_gift") : BEFORE.index("      - name: dt")]
CUSTOMER = BEFORE[BEFORE.index("      - name: customer_id") : BEFORE.index("      - name: status")]
WORTH = BEFORE[BEFORE.rindex("      - name: amount_usd") : BEFORE.rindex("      - name: dt")]
GOLD = BEFORE[BEFORE.index("  - name: returns_by_status") : BEFORE.index("slaProperties")]
RANGE = "{minimum: 0, maximum: 100000}"
LENGTH = "{minLength: 1, maxLength: 20}"
COLUMNS = "schema[0].properties"
WHO = "description: Who sent it back\n        logicalType: string\n        physicalType: string"
RULE = "quality: [{name: known, metric: invalidValues, arguments: {validValues: [C1]}, mustBe: 0}]"
UP_TO = BEFORE[BEFORE.index("primaryKey: true") + 16 : BEFORE.index("\n        description: Who")]
KEY = "        primaryKey: true"
FIRST = "    properties:\n      - name: return_id"
OF_GOLD = "    properties:\n      - name: status\n        description: How far the returns are"
SOME_ROWS = "    quality:\n      - {name: some, metric: rowCount, mustBeGreaterThan: 9}\n"

BREAKING: dict[str, tuple[str, str, str]] = {
    # what changes: (what stood there, what stands there now, the field that is told)
    "a column is gone": (GIFT, "", COLUMNS),
    "a column is new": (GIFT, GIFT + GIFT.replace("is_gift", "is_late"), f"{COLUMNS}[6]"),
    "a column has another name": ("name: is_gift", "name: gift", COLUMNS),
    "the order of the columns": (
        CUSTOMER + "      - name: status",
        "      - name: status",
        COLUMNS,
    ),
    "what is personal data": (
        f"{WHO}\n        required: true\n        classification: internal",
        f"{WHO}\n        required: true\n        classification: pii",
        "customer_id.classification",
    ),
    "another type": ("decimal(10,2)", "decimal(8,2)", "amount_usd.physicalType"),
    "a wider type": ("decimal(10,2)", "decimal(12,2)", "amount_usd.physicalType"),
    "what might be missing": (
        "physicalType: boolean",
        "physicalType: boolean\n        required: true",
        "is_gift.required",
    ),
    "another pattern": ("^R[0-9]{6}$", "^R[0-9]{7}$", "return_id.logicalTypeOptions.pattern"),
    "a pattern": (LENGTH, "{pattern: '^C[0-9]+$'}", "customer_id.logicalTypeOptions.pattern"),
    "a smaller maximum": (
        RANGE,
        RANGE.replace("100000", "1000"),
        "amount_usd.logicalTypeOptions.maximum",
    ),
    "a greater minimum": (
        RANGE,
        RANGE.replace("minimum: 0", "minimum: 1"),
        "amount_usd.logicalTypeOptions.minimum",
    ),
    "a smaller length": (
        LENGTH,
        LENGTH.replace("20", "10"),
        "customer_id.logicalTypeOptions.maxLength",
    ),
    "a value is gone": ("[placed, shipped]", "[placed]", "status.quality"),
    "a new rule": (WHO, f"{WHO}\n        {RULE}", "customer_id.quality"),
    "a word for yes": ("value: ['yes']", "value: ['si']", "is_gift.customProperties.trueValues"),
    "another key": (f"primaryKey: true{UP_TO}", f"required: true{UP_TO}\n{KEY}", COLUMNS),
    "another row stays": ("direction: desc", "direction: asc", "schema[0].customProperties"),
    "fewer may be rejected": ("value: 0.5", "value: 0.4", "schema[0].customProperties"),
    "a rule of the day": (FIRST, f"{SOME_ROWS}{FIRST}", "schema[0].quality"),
    "a rule of the day of gold": (
        OF_GOLD,
        f"    quality:\n      - {{name: some, metric: rowCount, mustBeGreaterThan: 0}}\n{OF_GOLD}",
        "returns_by_status",
    ),
    "a gold table is gone": (GOLD, "", "schema"),
    "a gold column is gone": (WORTH, "", "returns_by_status"),
    "a gold column's type": ("decimal(18,2)", "decimal(20,2)", "returns_by_status"),
}

COMPATIBLE: dict[str, tuple[str, str, str]] = {
    "what must not be missing": (f"{WHO}\n        required: true", WHO, "customer_id.required"),
    "no pattern": (
        "logicalTypeOptions: {pattern: '^R[0-9]{6}$'}",
        "logicalTypeOptions: {}",
        "return_id.logicalTypeOptions.pattern",
    ),
    "a greater maximum": (
        RANGE,
        RANGE.replace("100000", "1000000"),
        "amount_usd.logicalTypeOptions.maximum",
    ),
    "no minimum": (RANGE, "{maximum: 100000}", "amount_usd.logicalTypeOptions.minimum"),
    "a greater length": (
        LENGTH,
        LENGTH.replace("20", "30"),
        "customer_id.logicalTypeOptions.maxLength",
    ),
    "one more value": ("[placed, shipped]", "[lost, placed, shipped]", "status.quality"),
    "one more word for no": (
        "value: ['no']",
        "value: ['no', 'n']",
        "is_gift.customProperties.falseValues",
    ),
    "a warning of the day": (
        FIRST,
        SOME_ROWS.replace("mustBe", "severity: warning, mustBe") + FIRST,
        "schema[0].quality",
    ),
    "more may be rejected": ("value: 0.5", "value: 0.6", "schema[0].customProperties"),
    "a new gold column": (
        WORTH,
        WORTH + WORTH.replace("amount_usd", "tax_usd"),
        "returns_by_status",
    ),
    "a new gold table": (GOLD, GOLD + GOLD.replace("by_status", "by_day"), "schema[2]"),
    "what people are told": ("Day of the return", "The return's day", "the contract"),
    "who uploads": ("role: web-shop", "role: shop", "the contract"),
}


def changed(was: str, now: str, version: str = "1.0.0") -> Contract:
    assert BEFORE.count(was) >= 1, was
    at = BEFORE.index(was)
    body = BEFORE[:at] + now + BEFORE[at + len(was) :]
    if now == "      - name: status":  # moved to the end, not gone
        body = body.replace(GIFT, GIFT + CUSTOMER)
    return contract_of(body.replace("version: 1.0.0", f"version: {version}"), FILE)


OLD = contract_of(BEFORE, FILE)


@pytest.mark.parametrize("case", BREAKING)
def test_what_breaks_needs_a_higher_major_version(case: str) -> None:
    was, now, field = BREAKING[case]
    told = refusals(OLD, changed(was, now))
    assert told, case
    assert field in {str(change.place) for change in told}
    assert refusals(OLD, changed(was, now, "1.9.9")) == told
    assert refusals(OLD, changed(was, now, "2.0.0")) == ()
    assert {change.breaks for change in changes(OLD, changed(was, now, "2.0.0"))} >= {True}


@pytest.mark.parametrize("case", COMPATIBLE)
def test_what_is_compatible_goes_through_and_is_told(case: str) -> None:
    was, now, field = COMPATIBLE[case]
    after = changed(was, now)
    assert [(str(c.place), c.breaks) for c in changes(OLD, after)] == [(field, False)]
    assert refusals(OLD, after) == ()


def test_the_same_contract_has_no_changes() -> None:
    assert changes(OLD, changed("version: 1.0.0", "version: 1.0.0")) == ()
    assert refusals(OLD, OLD) == ()


def test_versions_go_up_as_numbers() -> None:
    ten = changed("version", "version", "1.10.0")
    assert refusals(changed("version", "version", "1.9.0"), ten) == ()
    (back,) = refusals(ten, changed("version", "version", "1.9.0"))
    assert str(back) == "version: 1.10.0 is deployed already, and versions go up"


OF_JSON = contract_of(JSON_LINES, FILE)
PACKED = """\
    customProperties:
      - property: compression
        value: gzip
"""


def of_json(was: str, now: str) -> Contract:
    assert was in JSON_LINES
    return contract_of(JSON_LINES.replace(was, now, 1), FILE)


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        (OLD, OF_JSON, True),
        (OF_JSON, OLD, True),
        (OF_JSON, of_json(PACKED, ""), True),
        (of_json(PACKED, ""), OF_JSON, False),
    ],
    ids=["to JSON lines", "to CSV", "no gzip any more", "gzip, too"],
)
def test_files_that_were_right_stay_right(before: Contract, after: Contract, breaks: bool) -> None:
    (change,) = changes(before, after)
    assert (str(change.place), change.breaks) == ("servers", breaks)


def test_a_line_of_json_has_no_order_and_may_leave_out_what_is_not_required() -> None:
    after = JSON_LINES.replace(CUSTOMER, "").replace(GIFT, GIFT + CUSTOMER)
    (moved,) = changes(OF_JSON, contract_of(after, FILE))
    assert not moved.breaks

    late = GIFT.replace("is_gift", "is_late")
    (new,) = changes(OF_JSON, of_json(GIFT, GIFT + late))
    assert (str(new.place), new.told, new.breaks) == (f"{COLUMNS}[6]", "is_late is new", False)
    needed = late.replace("physicalType: boolean", "physicalType: boolean\n        required: true")
    (new,) = changes(OF_JSON, of_json(GIFT, GIFT + needed))
    assert new.breaks
    gone, *_ = changes(OF_JSON, of_json(GIFT, ""))
    assert (gone.told, gone.breaks) == ("is_gift was a column: what has it is refused", True)


@pytest.mark.parametrize(
    ("was", "now", "breaks"),
    [
        ("mustBeGreaterThan: 9", "mustBeGreaterThan: 5", False),
        ("mustBeGreaterThan: 9", "mustBeGreaterOrEqualTo: 9", False),
        ("mustBeGreaterThan: 9", "mustBeBetween: [0, 1000]", True),
        ("mustBeGreaterThan: 9", "mustBeGreaterThan: 10", True),
        ("mustBeGreaterThan: 9", "severity: warning, mustBeGreaterThan: 90", False),
        ("mustBeGreaterThan: 9, severity: warning", "mustBeGreaterThan: 9", True),
        ("mustBeGreaterThan: 9, severity: warning", "severity: warning, mustBe: 1", False),
    ],
)
def test_a_day_is_judged_more_strictly_by_an_error_alone(was: str, now: str, breaks: bool) -> None:
    def of(limit: str) -> Contract:
        rule = SOME_ROWS.replace("mustBeGreaterThan: 9", limit)
        return changed(FIRST, rule + FIRST)

    (change,) = changes(of(was), of(now))
    assert (str(change.place), change.breaks) == ("schema[0].quality", breaks)
    assert changes(of(was), of(f"{was}, description: Why")) != (change,)


def test_a_rule_of_the_day_may_go() -> None:
    (change,) = changes(changed(FIRST, SOME_ROWS + FIRST), OLD)
    assert (change.told, change.breaks) == ("some was a rule of the day", False)
