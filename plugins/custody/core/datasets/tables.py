"""The tables of a dataset: what they are called, where they lie, and which columns they have.

Their definitions in the catalog, the tasks that point their partitions and the pages about them are
all derived from these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from custody.core.datasets.arrays import POSITION, Array
from custody.core.datasets.columns import Column
from custody.core.datasets.contracts import Contract
from custody.core.datasets.quality.rules import Rule
from custody.core.datasets.table_names import table_in
from custody.core.formats.hive_ddl import Columns, TableDefinition, parquet_table

PARTITION_KEYS: Final[Columns] = (("dt", "string"),)

SOURCE_COLUMNS: Final[Columns] = (
    ("_source_key", "string"),
    ("_source_version_id", "string"),
    ("_source_line", "int"),
)
"""Where a row of silver came from, behind the contract's own columns."""

QUARANTINE_COLUMNS: Final[Columns] = (
    ("source_key", "string"),
    ("source_version_id", "string"),
    ("source_line", "int"),
    ("reasons", "array<string>"),
    ("raw_line", "string"),
)

_FILES_COLUMNS: Final[Columns] = (
    ("source_key", "string"),
    ("source_version_id", "string"),
    ("sha256", "string"),
    ("size_bytes", "bigint"),
    ("landed_rows", "bigint"),
    ("silver_rows", "bigint"),
    ("duplicate_rows", "bigint"),
    ("quarantined_rows", "bigint"),
    ("file_reason", "string"),
)


def files_columns(arrays: Sequence[Array]) -> Columns:
    """The columns of the account of files: behind the others, how many rows of each table of items
    a file has.
    """
    return (*_FILES_COLUMNS, *((f"{array.name}_rows", "bigint") for array in arrays))


@dataclass(frozen=True, slots=True)
class Table:
    """A table, partitioned by `dt`; it lies under `folder` of the bucket that a setting names, by
    which it is called.

    `columns` are names and Hive types; `grain` says what one row is, `rules` what a day of it must
    be before it is shown.
    """

    bucket: str
    folder: str
    columns: Columns
    grain: str
    rules: tuple[Rule, ...] = ()

    @property
    def name(self) -> str:
        return table_in(self.folder)

    def definition(self, buckets: Mapping[str, str]) -> TableDefinition:
        """The table as the catalog has it; `buckets` are the settings that name them.

        A partition's location names the run that counts, so that nothing may look for partitions
        by their path (`MSCK REPAIR`).
        """
        location = f"s3://{buckets[self.bucket]}/{self.folder}"
        return parquet_table(self.name, self.columns, PARTITION_KEYS, location)


def of_columns(columns: Iterable[Column]) -> Columns:
    """Names and types."""
    return tuple((column.name, column.type) for column in columns)


def silver_tables(contract: Contract) -> tuple[Table, ...]:
    """The tables that one run of `bronze_to_silver` fills, in the order in which they are shown:
    readers who see the rows can see their account.
    """
    dataset = contract.dataset

    def table(area: str, columns: Columns, grain: str, rules: tuple[Rule, ...] = ()) -> Table:
        return Table("processed_bucket", f"{area}/{dataset}", columns, grain, rules)

    own = of_columns(contract.columns)
    types = dict(own)
    key = tuple((name, types[name]) for name in contract.primary_key)
    return (
        table(
            "files",
            files_columns(contract.arrays),
            "One row per landed object version the day's run saw: its row accounting "
            "(landed_rows = silver_rows + duplicate_rows + quarantined_rows)",
        ),
        table(
            "quarantine",
            QUARANTINE_COLUMNS,
            "One row per rejected row of a landed file; one without source_line per rejected file",
        ),
        *(
            Table(
                "processed_bucket",
                f"silver/{dataset}_{array.name}",
                (*key, (POSITION, "int"), *of_columns(array.columns), *SOURCE_COLUMNS),
                f"One row per {', '.join(contract.primary_key)}, {POSITION} and dt: an item of "
                f"{array.name}",
                array.rules,
            )
            for array in contract.arrays
        ),
        table("silver", own + SOURCE_COLUMNS, contract.grain, contract.rules),
    )


def gold_tables(contract: Contract) -> tuple[Table, ...]:
    """The tables that runs of `silver_to_gold` fill, each its own."""
    return tuple(
        Table(
            "analytics_bucket",
            f"gold/{gold.name}",
            of_columns(gold.columns),
            gold.grain,
            gold.rules,
        )
        for gold in contract.gold
    )


def tables(contract: Contract) -> tuple[Table, ...]:
    """All tables of a dataset."""
    return (*silver_tables(contract), *gold_tables(contract))
