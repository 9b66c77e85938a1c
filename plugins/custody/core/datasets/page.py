"""A dataset's page in the catalog (`docs/datasets/`), in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from custody.core.datasets.arrays import POSITION, Array
from custody.core.datasets.columns import Check, Column, NotAfterPartition, ValidValues
from custody.core.datasets.contracts import Contract, Gold
from custody.core.datasets.manual import dag_of
from custody.core.datasets.personal import personal_by_table
from custody.core.datasets.quality.rules import Rule
from custody.core.datasets.tables import silver_tables, tables

_SHOWN_VALUES = 12


def page(contract: Contract) -> str:
    """The page, made from the contract alone."""
    dataset, about = contract.dataset, contract.about
    sections = (
        _head(contract),
        _picture(contract),
        f"## `silver_{dataset}`\n\n{contract.description}. {contract.grain}.",
        _checked(contract.columns),
        _kept(contract),
        *_of_day(contract.rules),
        *_personal(contract),
        *(part for array in contract.arrays for part in _items(contract, array)),
        *(part for gold in contract.gold for part in _gold(gold)),
        _beside(contract),
        _query("How many rows of each file became what", _accounts(dataset)),
        _query("Why rows were rejected", _reasons(dataset)),
        *_judged(contract),
        f"Questions and changes: {about.owner}.",
    )
    return "\n\n".join(sections) + "\n"


def _head(contract: Contract) -> str:
    about, dataset = contract.about, contract.dataset
    file = f"{dataset}.odcs.yaml"
    contracted = f"[{file}](../../include/contracts/{file}), version {contract.version}"
    whole = f"whole {about.landing_hours} hours after the day began (UTC)"
    rows = (
        ("Owner", about.owner),
        ("Contract", contracted),
        ("Lands", f"`incoming/{dataset}/dt=<day>/`, {whole}"),
        ("Format", contract.format.in_words),
        ("Uploaders", "; ".join(f"`{one.name}` ({one.description})" for one in about.uploaders)),
        ("Built by", f"the DAG `{dag_of(dataset)}`, every day"),
        ("Use", about.usage),
        ("Limits", about.limitations),
    )
    return (
        "<!-- Made from the contract by `make datasets`. Change that. -->\n\n"
        f"# {dataset}\n\n{about.purpose}\n\n{_table(('', ''), rows)}"
    )


def _picture(contract: Contract) -> str:
    dataset = contract.dataset
    items = "".join(
        f"    landed -->|items of {array.name}| {array.name}[silver_{dataset}_{array.name}]\n"
        for array in contract.arrays
    )
    golds = "\n".join(
        f"    silver -->|{gold.name}.sql| g{number}[gold_{gold.name}]"
        for number, gold in enumerate(contract.gold)
    )
    return f"""```mermaid
flowchart LR
    landed[incoming/{dataset}] -->|custody gate, contract| silver[silver_{dataset}]
    landed -->|rejected rows| quarantine[silver_{dataset}_quarantine]
    landed -->|row accounting| files[silver_{dataset}_files]
{items}{golds}
```"""


def _kept(contract: Contract) -> str:
    key = ", ".join(f"`{name}`" for name in contract.primary_key)
    order = [
        f"the {'greatest' if step.descending else 'least'} `{step.column}`"
        for step in contract.deduplication_order
    ]
    first = ", then ".join([*order, "the first by source key, version and line"])
    return (
        f"Of the rows of one day with the same {key} one stays: {first}. A day of which more than "
        f"{contract.max_rejected_share:%} of the rows are rejected is not published. "
        "`_source_key`, `_source_version_id` and `_source_line` say from which object version and "
        "line a row came; `dt` is the day."
    )


def _personal(contract: Contract) -> Iterator[str]:
    by_table = personal_by_table(contract).values()
    names = dict.fromkeys(name for columns in by_table for name in columns.values())
    if names:
        said = ", ".join(f"`{name}`" for name in names)
        yield (
            f"Personal data ({said}) is judged as it landed and stays in bronze: silver has a "
            "token of each value, the same for the same value, which nobody can turn back "
            "([ADR 093](../adr/093-tokens-for-personal-data.md)). Gold has neither, and "
            "quarantine no `raw_line`."
        )


def _checked(columns: Iterable[Column]) -> str:
    return _table(
        ("column", "type", "class", "a value is rejected unless it is", "what it is"),
        (
            (f"`{c.name}`", c.type, c.classification, "; ".join(_rules(c)), c.description)
            for c in columns
        ),
    )


def _items(contract: Contract, array: Array) -> Iterator[str]:
    """The table of an array's items."""
    key = ", ".join(f"`{name}`" for name in contract.primary_key)
    yield (
        f"## `silver_{contract.dataset}_{array.name}`\n\n{array.description}: the items of "
        f"`{array.name}`, of which a row {'has' if array.required else 'may have'} "
        f"{array.min_items} to {array.max_items}. Each is known by {key} and `{POSITION}`, which "
        "counts from 1. What is wrong with one rejects the whole row, by its position: "
        f"`{array.name}[2].{array.columns[0].name}.required`."
    )
    yield _checked(array.columns)
    yield from _of_day(array.rules)


def _gold(gold: Gold) -> Iterator[str]:
    yield (
        f"## `gold_{gold.name}`\n\n{gold.description}. {gold.grain}. Made by "
        f"[{gold.name}.sql](../../include/sql/gold/{gold.name}.sql)."
    )
    yield _table(
        ("column", "type", "class", "what it is"),
        ((f"`{c.name}`", c.type, c.classification, c.description) for c in gold.columns),
    )
    yield from _of_day(gold.rules)
    columns = ", ".join(column.name for column in gold.columns)
    yield _query(
        "A day", f"SELECT {columns}\nFROM gold_{gold.name}\nWHERE dt = '2026-11-01'\nLIMIT 100"
    )


def _of_day(rules: Sequence[Rule]) -> Iterator[str]:
    """The rules that a day must keep before it is shown."""
    if rules:
        yield "A day is judged before it is published; an error publishes nothing:"
        yield _table(
            ("rule", "severity", "what is expected", "why"),
            (
                (f"`{r.name}`", r.severity, f"of {r.measured}: {r.expected}", r.description)
                for r in rules
            ),
        )


def _beside(contract: Contract) -> str:
    rows = ((f"`{table.name}`", table.grain) for table in silver_tables(contract)[:-1])
    return f"## Beside them\n\n{_table(('table', 'grain'), rows)}"


def _rules(column: Column) -> Iterator[str]:
    """What a value must be, in words; each of them has a reason of its own in quarantine."""
    if column.required:
        yield "given"
    if column.format:
        yield f"as `{column.format}`"
    if column.base_type == "boolean":
        yield f"one of {_values((*column.true_values, *column.false_values))}"
    if column.pattern is not None:
        yield f"like `{column.pattern}`"
    if column.min_length is not None:
        yield f"of length {column.min_length} or more"
    if column.max_length is not None:
        yield f"of length {column.max_length} or less"
    if column.minimum is not None:
        yield f"at least {column.minimum}"
    if column.maximum is not None:
        yield f"at most {column.maximum}"
    yield from map(_check, column.checks)


def _check(check: Check) -> str:
    match check:
        case ValidValues():
            return f"one of {_values(check.values)} (`{check.name}`)"
        case NotAfterPartition():
            return f"not after the day of its file (`{check.name}`)"
        case other:
            return f"not on a day before `{other.column}` (`{other.name}`)"


def _values(values: Sequence[str]) -> str:
    if len(values) > _SHOWN_VALUES:
        return f"{len(values)} values that the contract lists"
    return ", ".join(f"`{value}`" for value in values)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _query(title: str, sql: str) -> str:
    return f"{title}:\n\n```sql\n{sql}\n```"


def _accounts(dataset: str) -> str:
    return (
        "SELECT source_key, landed_rows, silver_rows, duplicate_rows, quarantined_rows,\n"
        "    file_reason\n"
        f"FROM silver_{dataset}_files\nWHERE dt = '2026-11-01'"
    )


def _judged(contract: Contract) -> Iterator[str]:
    if any(table.rules for table in tables(contract)):
        yield _query(
            "What was found for the rules of a day, by every run that built it",
            "SELECT run, table_name, rule, severity, outcome, found, unit, expected\n"
            f"FROM quality_results\nWHERE dt = '2026-11-01' AND dataset = '{contract.dataset}'",
        )


def _reasons(dataset: str) -> str:
    return (
        "SELECT reason, COUNT(*) AS rows_rejected\n"
        f"FROM silver_{dataset}_quarantine\nCROSS JOIN UNNEST(reasons) AS t (reason)\n"
        "WHERE dt = '2026-11-01'\nGROUP BY reason"
    )
