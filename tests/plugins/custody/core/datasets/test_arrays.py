"""Arrays of a contract: what is read, what is refused by file, line and field, and what breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from custody.core.datasets.catalog import ContractsRefused, read_contracts
from custody.core.datasets.compatibility import changes, refusals
from custody.core.datasets.contract_fields import ContractError
from custody.core.datasets.contracts import contract_of
from custody.core.datasets.tables import SOURCE_COLUMNS, silver_tables

FILE = "orders.odcs.yaml"
RIGHT = (Path(__file__).parents[5] / "include" / "contracts" / FILE).read_text("utf-8")
SERVER = RIGHT[RIGHT.index("servers:") : RIGHT.index("schema:")]
LINES = RIGHT[RIGHT.index("      - name: lines") : RIGHT.index("      - name: dt")]
PROPERTIES = LINES[LINES.index("          properties:") :]
QUANTITY = "            - name: quantity"
OBJECT = "          logicalType: object\n"

WRONG = {
    # what stands there, what stands there instead (`# <-` marks the line that is told), the field
    "another file than JSON": (SERVER, "", "schema[0].properties[8].logicalType"),
    "a column behind it": (
        LINES,
        f"{LINES}      - name: late # <-\n        logicalType: string\n",
        "schema[0].properties[9]",
    ),
    "a column of its name": ("- name: lines", "- name: note # <-", "schema[0].properties[8].name"),
    "a name of every table": ("- name: lines", "- name: dt # <-", "schema[0].properties[8].name"),
    "no description": (
        "description: What was ordered\n        logicalType: array",
        "logicalType: array",
        "lines.description",
    ),
    "a rule that nobody enforces": (
        "{minItems: 1, maxItems: 200}",
        "{uniqueItems: true} # <-",
        "lines.logicalTypeOptions.uniqueItems",
    ),
    "more items than a row may have": (
        "{minItems: 1, maxItems: 200}",
        "{maxItems: 1001} # <-",
        "lines.logicalTypeOptions",
    ),
    "no number that is right": ("minItems: 1,", "minItems: 201,", "lines.logicalTypeOptions"),
    "a key": (
        "logicalType: array\n",
        "logicalType: array\n        primaryKey: true # <-\n",
        "lines.primaryKey",
    ),
    "items of nothing": ("        items:\n" + OBJECT + PROPERTIES, "", "lines.items"),
    "items that are no objects": (OBJECT + PROPERTIES, "          logicalType: string\n", "lines"),
    "an object without properties": (PROPERTIES, "          properties: []\n", "lines"),
    "an array in an array": (
        "logicalType: integer\n              physicalType: int",
        "logicalType: array # <-\n              physicalType: int",
        "quantity.logicalType",
    ),
    "a column of the row's key": (
        QUANTITY,
        f"{QUANTITY[:-8]}order_id # <-",
        "lines.items.properties[1].name",
    ),
    "the column of its place": (
        QUANTITY,
        f"{QUANTITY[:-8]}position # <-",
        "lines.items.properties[1].name",
    ),
    "an item with a key of its own": (
        "physicalType: int\n              required: true",
        "physicalType: int\n              primaryKey: true # <-",
        "lines.items.properties[1].primaryKey",
    ),
    "a rule of an item that nobody enforces": (
        "{minimum: 1, maximum: 1000}",
        "{multipleOf: 2} # <-",
        "quantity.logicalTypeOptions.multipleOf",
    ),
}


def with_(was: str, now: str) -> str:
    assert RIGHT.count(was) == 1, was
    return RIGHT.replace(was, now)


def test_an_array_is_a_table_of_its_items() -> None:
    contract = contract_of(RIGHT, FILE)
    (lines,) = contract.arrays
    assert (lines.name, lines.required, lines.min_items, lines.max_items) == ("lines", True, 1, 200)
    assert "lines" not in contract.header
    files, _, items, rows = silver_tables(contract)
    assert files.columns[-1] == ("lines_rows", "bigint")
    assert (items.name, items.folder) == ("silver_orders_lines", "silver/orders_lines")
    assert items.grain == "One row per order_id, position and dt: an item of lines"
    assert items.columns == (
        ("order_id", "string"),
        ("position", "int"),
        ("product_id", "string"),
        ("quantity", "int"),
        ("unit_price_usd", "decimal(10,2)"),
        *SOURCE_COLUMNS,
    )
    assert rows.name == "silver_orders"


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_array_is_refused_by_file_line_and_field(what: str) -> None:
    was, now, field = WRONG[what]
    body = with_(was, now)
    with pytest.raises(ContractError) as refused:
        contract_of(body, FILE)
    source, told, _ = str(refused.value).split(": ", 2)
    assert told.startswith(field)
    if "# <-" in body:
        assert source == f"{FILE}:{body[: body.index('# <-')].count(chr(10)) + 1}"


def test_its_table_is_named_as_no_other() -> None:
    """`silver_orders_files` would be the items of one and the account of the other."""
    with pytest.raises(ContractsRefused, match="its table silver_orders_files is named as another"):
        read_contracts({FILE: with_("- name: lines", "- name: files")})


OLD = contract_of(RIGHT, FILE)


@pytest.mark.parametrize(
    ("was", "now", "field"),
    [
        (LINES, "", "schema[0].properties"),
        ("minItems: 1,", "minItems: 2,", "lines.logicalTypeOptions.minItems"),
        ("maxItems: 200", "maxItems: 100", "lines.logicalTypeOptions.maxItems"),
        (QUANTITY, f"{QUANTITY[:-8]}amount", "lines.items.properties"),
        ("physicalType: int\n", "physicalType: bigint\n", "lines.quantity.physicalType"),
        ("maximum: 1000}", "maximum: 10}", "lines.quantity.logicalTypeOptions.maximum"),
    ],
)
def test_what_breaks_an_array_needs_a_higher_major_version(was: str, now: str, field: str) -> None:
    told = refusals(OLD, contract_of(with_(was, now), FILE))
    assert field in {str(change.place) for change in told}


NEEDED = "required: true\n        logicalTypeOptions: {minI"


def test_an_array_that_rows_need_breaks_where_it_is_new() -> None:
    def told(required: str) -> list[bool]:
        new = contract_of(with_(NEEDED, required), FILE)
        return [change.breaks for change in changes(contract_of(with_(LINES, ""), FILE), new)]

    assert told(NEEDED) == [True]
    assert told(NEEDED.replace("true", "false")) == [False]


def test_an_array_may_become_looser() -> None:
    looser = contract_of(with_("maxItems: 200", "maxItems: 300"), FILE)
    assert [(str(c.place), c.breaks) for c in changes(OLD, looser)] == [
        ("lines.logicalTypeOptions.maxItems", False)
    ]
    optional = with_(NEEDED, NEEDED.replace("required: true\n        ", ""))
    assert [(str(c.place), c.breaks) for c in changes(OLD, contract_of(optional, FILE))] == [
        ("lines.required", False)
    ]
