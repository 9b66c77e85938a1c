"""Every wrong contract is refused by its file, line and field, and nothing else is read of it.

Each case replaces a part of a contract that is right; the line marked `# <-` is the one to be told.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from custody.core.datasets.catalog import ContractsRefused, read_contracts
from custody.core.datasets.contract_fields import ContractError
from custody.core.datasets.contracts import contract_of
from custody.core.formats.yaml_text import MAX_CHARACTERS

FILE = "returns.odcs.yaml"
CONTRACTS = Path(__file__).parents[5] / "include" / "contracts"
RIGHT = (Path(__file__).parents[4] / "datasets" / "returns" / FILE).read_text(encoding="utf-8")

AMOUNT = "logicalTypeOptions: {minimum: 0, maximum: 100000}"
ALLOWED = "arguments: {validValues: [placed, shipped]}\n            mustBe: 0"
AFTER = "implementation: {rule: notAfterPartition}"
OF_DAY = "        partitioned: true\n        partitionKeyPosition: 1\n        primaryKey"

WRONG: dict[str, tuple[str, str, str]] = {
    # what is wrong: (what stands there, what stands there instead, the field that is told)
    "no YAML": ("tags: [returns]", "tags: [returns\nx: # <-", "the contract"),
    "a tab": ("tags: [returns]", "\ttags: [returns] # <-", "the contract"),
    "an anchor": ("tags: [returns]", "tags: &tags [returns] # <-", "the contract"),
    "an alias": ("tags: [returns]", "tags: *tags # <-", "the contract"),
    "a tag": ("tags: [returns]", "tags: !!python/name:os.system '' # <-", "the contract"),
    "a merge": ("tags: [returns]", "<<: {a: 1} # <-", "the contract"),
    "a second document": ("tags: [returns]", "--- # <-\ntags: [returns]", "the contract"),
    "a doubled field": ("status: active", "status: active\nstatus: draft # <-", "the contract"),
    "a doubled option": (
        AMOUNT,
        "logicalTypeOptions: {minimum: 0, minimum: 1} # <-",
        "the contract",
    ),
    "too deep": ("tags: [returns]", "tags: " + "[" * 40 + " # <-", "the contract"),
    "another kind": ("apiVersion: v3.1.0", "apiVersion: v2.2.2 # <-", "apiVersion"),
    "an unread field": ("status: active", "price: {priceAmount: 1} # <-", "price"),
    "a name with a dash": ("name: returns\nversion", "name: re-turns # <-\nversion", "name"),
    "a long name": ("name: returns\nversion", f"name: {'o' * 65} # <-\nversion", "name"),
    "a version that is a number": ("version: 1.0.0", "version: 1.0 # <-", "version"),
    "a version without a patch": ("version: 1.0.0", "version: '1.0' # <-", "version"),
    "a version in words": ("version: 1.0.0", "version: first # <-", "version"),
    "no purpose": (
        "purpose: What customers sent back.",
        "purpose: ' ' # <-",
        "description.purpose",
    ),
    "no owner": ("name: sales-data", "name: # <-", "team.name"),
    "a tag that is none": ("tags: [returns]", "tags: [NO] # <-", "tags"),
    "two silver tables": (
        "schema:\n  - name: returns\n    physicalName: silver_returns",
        "schema:\n  - name: return # <-\n    physicalName: silver_return",
        "schema[0].name",
    ),
    "another table's name": (
        "physicalName: silver_returns",
        "physicalName: returns # <-",
        "schema[0].physicalName",
    ),
    "no grain": (
        "dataGranularityDescription: One row per return_id and dt",
        "dataGranularityDescription: # <-",
        "schema[0].dataGranularityDescription",
    ),
    "quality of a table": (
        "    customProperties:\n      - property: dedup",
        (
            "    quality:\n      - {name: some, metric: rowCount} # <-\n"
            "    customProperties:\n      - property: dedup"
        ),
        "schema[0].quality[0]",
    ),
    "quality that nobody measures": (
        "    customProperties:\n      - property: dedup",
        (
            "    quality:\n      - {name: r, metric: skew, mustBe: 1} # <-\n"
            "    customProperties:\n      - property: dedup"
        ),
        "schema[0].quality[0]",
    ),
    "a reference that nobody follows": (
        "required: true\n        classification: internal\n        logicalTypeOptions: {minL",
        (
            "required: true\n        relationships: # <-\n"
            "          - to: customers.odcs.yaml#/schema/customers/properties/customer_id\n"
            "        logicalTypeOptions: {minL"
        ),
        "customer_id.relationships",
    ),
    "a type of none": (
        "physicalType: boolean",
        "physicalType: tinyint # <-",
        "is_gift.physicalType",
    ),
    "a type that does not fit": (
        "logicalType: boolean",
        "logicalType: string # <-",
        "is_gift.logicalType",
    ),
    "too many digits": (
        "physicalType: decimal(10,2)",
        "physicalType: decimal(39,2) # <-",
        "amount_usd.physicalType",
    ),
    "a column twice": (
        "- name: status\n        description: How far the return is",
        "- name: customer_id # <-",
        "schema[0].properties[2].name",
    ),
    "a column of every dataset": (
        "- name: is_gift",
        "- name: dt # <-",
        "schema[0].properties[5].name",
    ),
    "an upper-case column": (
        "- name: is_gift",
        "- name: isGift # <-",
        "schema[0].properties[5].name",
    ),
    "a rule unknown to anybody": (
        "required: true\n        classification: internal\n        logicalTypeOptions: {minL",
        "required: true\n        enum: [a] # <-\n        logicalTypeOptions: {minL",
        "customer_id.enum",
    ),
    "required in quotes": (
        "required: true\n        classification: internal\n        logicalTypeOptions: {minL",
        "required: 'true' # <-\n        logicalTypeOptions: {minL",
        "customer_id.required",
    ),
    "unique of no key": (
        "required: true\n        classification: internal\n        logicalTypeOptions: {minL",
        "unique: true # <-\n        logicalTypeOptions: {minL",
        "customer_id.unique",
    ),
    "no key": (
        "        primaryKey: true\n        primaryKeyPosition: 2\n",
        "",
        "schema[0].properties",
    ),
    "a key's place": (
        "primaryKeyPosition: 2",
        "primaryKeyPosition: first # <-",
        "schema[0].properties[0].primaryKeyPosition",
    ),
    "a day that is no part of the key": (
        "        primaryKey: true\n        primaryKeyPosition: 1\n",
        "",
        "dt.primaryKey",
    ),
    "a day that is a date": (
        f"physicalType: string\n{OF_DAY}",
        f"physicalType: date # <-\n{OF_DAY}",
        "dt.physicalType",
    ),
    "gold without its day": (
        "      - name: dt\n        description: Day whose returns these are",
        "      - name: day # <-\n        description: Day whose returns these are",
        "schema[1].properties[3]",
    ),
    "a broken pattern": (
        "{pattern: '^R[0-9]{6}$'}",
        "{pattern: '^R[0-9{6}$'} # <-",
        "return_id.logicalTypeOptions.pattern",
    ),
    "an option of nobody": (
        AMOUNT,
        "logicalTypeOptions: {multipleOf: 2} # <-",
        "amount_usd.logicalTypeOptions.multipleOf",
    ),
    "a limit that is no number": (
        AMOUNT,
        "logicalTypeOptions: {minimum: none} # <-",
        "amount_usd.logicalTypeOptions.minimum",
    ),
    "no number at all": (
        AMOUNT,
        "logicalTypeOptions: {maximum: .nan} # <-",
        "amount_usd.logicalTypeOptions.maximum",
    ),
    "limits that cross": (
        AMOUNT,
        "logicalTypeOptions: {minimum: 2, maximum: 1} # <-",
        "amount_usd.logicalTypeOptions",
    ),
    "lengths that cross": (
        "{minLength: 1, maxLength: 20}",
        "{minLength: 9, maxLength: 2} # <-",
        "customer_id.logicalTypeOptions",
    ),
    "a length in quotes": (
        "{minLength: 1, maxLength: 20}",
        "{maxLength: '20'} # <-",
        "customer_id.logicalTypeOptions.maxLength",
    ),
    "a rule without a name": (
        "- name: allowed\n            metric",
        "- metric",
        "status.quality[0].name",
    ),
    "a rule that only informs": (
        ALLOWED,
        f"{ALLOWED}\n            severity: info # <-",
        "status.quality[0].severity",
    ),
    "a rule in SQL": (
        "- name: allowed\n            metric: invalidValues",
        "- name: allowed\n            type: sql\n            query: DROP TABLE x # <-",
        "status.quality[0].query",
    ),
    "words that YAML reads as none": (
        "{validValues: [placed, shipped]}",
        "{validValues: [NO, placed]} # <-",
        "status.quality[0].arguments.validValues",
    ),
    "a rule that nobody knows": (
        AFTER,
        "implementation: {rule: notOnSunday} # <-",
        "returned_on.quality[0].implementation.rule",
    ),
    "a rule about no date": (
        AFTER,
        "implementation: {rule: notBefore, property: status}",
        "returned_on.not_after_day",
    ),
    "a word for both": (
        "customProperties:\n          - property: trueValues\n            value: ['yes']",
        "customProperties: # <-\n          - property: trueValues\n            value: ['NO']",
        "is_gift.customProperties",
    ),
    "words of a boolean": ("value: ['yes']", "value: [yes] # <-", "is_gift.trueValues"),
    "an order by no column": (
        "value: [{property: returned_on, direction: desc}]",
        "value: [{property: when}] # <-",
        "schema[0].deduplicationOrder[0]",
    ),
    "a share above one": ("value: 0.5", "value: 50 # <-", "schema[0].maxRejectedShare"),
    "a property of nobody": (
        "- property: maxRejectedShare",
        "- property: maxRejected # <-",
        "schema[0].customProperties[1].property",
    ),
    "personal data in another word": (
        "required: true\n        classification: internal\n        logicalTypeOptions: {minL",
        "required: true\n        classification: PII # <-\n        logicalTypeOptions: {minL",
        "customer_id.classification",
    ),
    "personal data that is no text": (
        f"classification: internal\n        {AMOUNT}",
        f"classification: pii # <-\n        {AMOUNT}",
        "amount_usd.classification",
    ),
    "personal data in gold": (
        "description: How many they are",
        "description: How many they are\n        classification: pii # <-",
        "returns.classification",
    ),
    "a rule of gold": (
        "- name: status\n        description: How far the returns are",
        "- name: status\n        required: true # <-",
        "status.required",
    ),
    "a gold table twice": (
        "- name: returns_by_status",
        "- name: returns # <-\n    properties: []\n  - name: x",
        "schema[1].description",
    ),
    "gold without columns": (
        "    properties:\n      - name: status\n        description: How far the returns are",
        "    properties: [] # <-\n    tags:\n      - name: status",
        "schema[1].properties",
    ),
    "hours before the day is over": ("value: 30", "value: 3 # <-", "slaProperties[1].value"),
    "another unit": ("unit: h", "unit: d # <-", "slaProperties[1].unit"),
    "every two days": (
        "- property: frequency\n    value: 1",
        "- property: frequency # <-\n    value: 2",
        "slaProperties[0]",
    ),
    "a term that nobody keeps": (
        "- property: frequency",
        "- property: availability # <-",
        "slaProperties[0].property",
    ),
    "a format that nobody reads": ("format: json", "format: avro # <-", "servers[0].format"),
    "rows that are no lines": (
        "delimiter: new_line",
        "delimiter: array # <-",
        "servers[0].delimiter",
    ),
    "another packing": ("value: gzip", "value: zstd # <-", "servers[0].compression"),
    "a server that is no bucket": ("type: s3", "type: kafka # <-", "servers[0].type"),
    "a role that reads": ("access: write", "access: read # <-", "roles[0].access"),
    "a role that IAM knows none of": ("- role: web-shop", "- role: web shop # <-", "roles[0].role"),
    "the name of what is tried": ("name: returns\nversion", "name: smoke # <-\nversion", "name"),
    "a role of nobody": ("- role: web-shop", "- role: '' # <-", "roles[0].role"),
    "nobody uploads": (
        "  - role: web-shop\n    access: write\n    description: Web shop, returns of the day\n",
        "  []\n",
        "roles",
    ),
}


def test_the_contract_without_a_fault_is_read() -> None:
    contract = contract_of(RIGHT, FILE)
    assert (contract.dataset, contract.grain) == ("returns", "One row per return_id and dt")


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_contract_is_refused_by_file_line_and_field(what: str) -> None:
    stands, instead, field = WRONG[what]
    assert RIGHT.count(stands) == 1, "the case must say which part it is"
    wrong = RIGHT.replace(stands, instead)
    marked = [number for number, line in enumerate(wrong.split("\n"), 1) if "# <-" in line]
    with pytest.raises(ContractError) as refusal:
        contract_of(wrong, FILE)
    told, field_told, problem = str(refusal.value).split(": ", 2)
    assert (told.rsplit(":", 1)[0], field_told) == (FILE, field)
    assert problem
    if marked:
        assert told == f"{FILE}:{marked[0]}"


def test_there_are_many_of_them() -> None:
    assert len(WRONG) >= 50


def test_a_text_of_any_size_is_refused_at_once() -> None:
    with pytest.raises(ContractError, match=f"more than {MAX_CHARACTERS} characters"):
        contract_of(RIGHT + "#" * MAX_CHARACTERS, FILE)


def test_all_that_is_wrong_is_told_at_once() -> None:
    first = RIGHT.replace("status: active", "price: 1")
    second = RIGHT.replace("access: write", "access: read")
    with pytest.raises(ContractsRefused) as refusal:
        read_contracts({"returns.odcs.yaml": first, "more.odcs.yaml": second})
    assert [line.split(": ")[:2] for line in str(refusal.value).splitlines()] == [
        ["more.odcs.yaml:128", "roles[0].access"],
        ["returns.odcs.yaml:6", "price"],
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("version: 1.0.0", "version: 1.0", "no version: expected MAJOR.MINOR.PATCH"),
        (
            "logicalType: boolean",
            "logicalType: bool",
            "does not fit physicalType boolean: expected",
        ),
    ],
)
def test_what_would_be_right_is_told(right: str, wrong: str, told: str) -> None:
    with pytest.raises(ContractError, match=re.escape(told)):
        contract_of(RIGHT.replace(right, wrong, 1), FILE)


def test_what_only_a_person_can_tell_is_asked_for_everywhere_at_once() -> None:
    """Above all what is personal data: in clear it would come into silver."""
    body = RIGHT.replace("classification: internal", "classification: TODO", 2)
    body = body.replace("name: sales-data", "name: TODO  # not this TODO")
    lines = [n for n, line in enumerate(body.split("\n"), 1) if ": TODO" in line]
    assert len(contract_of(body, FILE).columns) == 6
    with pytest.raises(ContractsRefused) as refusal:
        read_contracts({FILE: body})
    told = str(refusal.value).splitlines()
    assert [int(line.split(":")[1]) for line in told] == lines
    assert told[0] == f"{FILE}:{lines[0]}: team.name: still says TODO: only a person can tell"
    assert read_contracts({FILE: f"# TODO: nothing\n{RIGHT}"})


def test_a_contract_lies_in_the_file_of_its_name() -> None:
    with pytest.raises(ContractsRefused, match=r"more\.odcs\.yaml:1: name: the file of returns"):
        read_contracts({"more.odcs.yaml": RIGHT})


def test_no_table_is_that_of_two_datasets() -> None:
    """`silver_returns_files` would be the files of one and the rows of the other."""
    other = (
        RIGHT.replace("name: returns\n", "name: returns_files\n")
        .replace("silver_returns\n", "silver_returns_files\n")
        .replace("returns_by_status", "returns_by_state")
    )
    with pytest.raises(ContractsRefused) as refusal:
        read_contracts({FILE: RIGHT, "returns_files.odcs.yaml": other})
    assert str(refusal.value).splitlines() == [
        "returns.odcs.yaml: its table silver_returns_files is named as another is",
        "returns_files.odcs.yaml: its table silver_returns_files is named as another is",
    ]


REFERRING = RIGHT.replace(
    "required: true\n        classification: internal\n        logicalTypeOptions: {minL",
    "required: true\n        relationships:\n"
    "          - to: customers.odcs.yaml#/schema/customers/properties/customer_id\n"
    "        quality:\n          - name: known\n            type: custom\n"
    "            engine: custody\n"
    "            implementation: {rule: unresolvedReferences, days: 7, mustBe: 0}\n"
    "        logicalTypeOptions: {minL",
)
CUSTOMERS = "customers.odcs.yaml"


def customers(kind: str = "string") -> str:
    """A dataset that has what returns refer to, of a kind."""
    logical = {"string": "string", "int": "integer"}[kind]
    body = RIGHT.replace("name: returns\n", "name: customers\n").replace("by_status", "by_kind")
    who = "description: Who sent it back\n        logicalType: {}\n        physicalType: {}"
    body = body.replace("silver_returns", "silver_customers")
    body = body.replace(who.format("string", "string"), who.format(logical, kind))
    return body.replace("{minLength: 1, maxLength: 20}", "{}")


def test_a_reference_is_to_what_another_contract_has() -> None:
    assert len(read_contracts({FILE: REFERRING, CUSTOMERS: customers()})) == 2
    assert len(read_contracts({FILE: REFERRING}, are_all=False)) == 1
    for files in ({}, {CUSTOMERS: customers("int")}):
        with pytest.raises(ContractsRefused) as refusal:
            read_contracts({FILE: REFERRING, **files})
        assert str(refusal.value) == (
            "returns.odcs.yaml: customer_id.known: customers has no customer_id of its type, string"
        )


def test_a_reference_is_to_no_token() -> None:
    who = "required: true\n        classification: internal\n        logicalTypeOptions: {}"
    secret = customers().replace(who, who.replace("internal", "pii"))
    assert secret != customers()
    with pytest.raises(ContractsRefused, match="customer_id is personal data, of which it has"):
        read_contracts({FILE: REFERRING, CUSTOMERS: secret})


def test_the_items_of_an_array_refer_to_what_another_contract_has() -> None:
    orders = (CONTRACTS / "orders.odcs.yaml").read_text("utf-8")
    item = "              logicalTypeOptions: {pattern: '^P"
    assert item in orders
    to = "{to: products.odcs.yaml#/schema/products/properties/product_id}"
    rule = "{rule: unresolvedReferences, days: 7, mustBe: 0}"
    known = f"{{name: known, type: custom, engine: custody, implementation: {rule}}}"
    referring = orders.replace(
        item,
        f"              relationships: [{to}]\n              quality: [{known}]\n{item}",
    )
    files = {
        "orders.odcs.yaml": referring,
        CUSTOMERS: (CONTRACTS / CUSTOMERS).read_text("utf-8"),
    }
    with pytest.raises(ContractsRefused, match=r"product_id\.known: products has no product_id"):
        read_contracts(files)


def test_gold_has_no_column_called_as_personal_data_of_silver() -> None:
    public = "required: true\n        classification: internal\n        quality"
    of_silver = RIGHT.replace(public, public.replace("internal", "pii"), 1)
    assert of_silver != RIGHT
    with pytest.raises(ContractError, match="is personal data in silver") as refused:
        contract_of(of_silver, FILE)
    (number,) = re.findall(rf"^{re.escape(FILE)}:(\d+): ", str(refused.value))
    assert of_silver.split("\n")[int(number) - 1].strip() == "- name: status"
    assert int(number) > of_silver[: of_silver.index("returns_by_status")].count("\n")
