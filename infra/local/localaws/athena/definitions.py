"""Running data definition statements against the Glue catalog."""

from __future__ import annotations

from collections.abc import Sequence

from localaws.athena.errors import QueryError
from localaws.athena.statements import (
    AddPartitions,
    CreateTable,
    Definition,
    Drop,
    DropPartitions,
    PartitionSpec,
    SetLocation,
)
from localaws.athena.tables.catalog import Catalog
from localaws.athena.tables.relations import Table
from localaws.athena.tables.storage import Location

_ESCAPED = frozenset("\"#%'*/:=?\\\x7f{[]^") | frozenset(map(chr, range(0x20)))


def run(catalog: Catalog, statement: Definition) -> tuple[Sequence[str], Sequence[str]]:
    """The columns and lines of the result, most often none; raises QueryError."""
    match statement:
        case CreateTable():
            _create_table(catalog, statement)
        case Drop():
            _drop(catalog, statement)
        case AddPartitions():
            _add_partitions(catalog, statement)
        case DropPartitions():
            _drop_partitions(catalog, statement)
        case SetLocation():
            table = catalog.table(*statement.table)
            values = _values(table, statement.partition)
            catalog.update_partition(table, values, statement.location)
        case _:
            table = catalog.table(*statement.table)
            if not table.partition_keys:
                where = f"{table.database}.{table.name}"
                raise _semantic(f"Table {where} is not a partitioned table")
            names = [key.name for key in table.partition_keys]
            found = (_path(names, one.values).rstrip("/") for one in catalog.partitions(table))
            return ("partition",), list(found)
    return (), ()


def _create_table(catalog: Catalog, statement: CreateTable) -> None:
    database, name = catalog.database(statement.name[0]), statement.name[1]
    catalog.require_database(database)
    created = catalog.create_table(database, statement.table)
    if not created and not statement.if_not_exists:
        raise _ddl_failure(f"AlreadyExistsException(message:Table {name} already exists)")


def _drop(catalog: Catalog, statement: Drop) -> None:
    database, name = catalog.database(statement.name[0]), statement.name[1]
    raw = catalog.raw_table(database, name)
    if raw is None:
        catalog.require_database(database)
        if not statement.if_exists:
            what = "View" if statement.view else "Table"
            raise _semantic(f"{what} not found {database}.{name}")
        return
    if (raw.get("TableType") == "VIRTUAL_VIEW") != statement.view:
        kind = "a table, not a view" if statement.view else "a view, not a table"
        raise _semantic(f"{database}.{name} is {kind}")
    catalog.delete_table(database, name)


def _add_partitions(catalog: Catalog, statement: AddPartitions) -> None:
    table = catalog.table(*statement.table)
    names = [key.name for key in table.partition_keys]
    wanted = []
    for spec, location in statement.partitions:
        values = _values(table, spec)
        default = f"{Location.parse(table.storage.location)}{_path(names, values)}"
        wanted.append((values, location or default))
    existed = catalog.create_partitions(table, wanted)
    if existed and not statement.if_not_exists:
        raise _ddl_failure(
            f"AlreadyExistsException(message:Partition already exists: {list(existed[0])})"
        )


def _drop_partitions(catalog: Catalog, statement: DropPartitions) -> None:
    table = catalog.table(*statement.table)
    existing = {partition.values for partition in catalog.partitions(table)}
    for spec in statement.partitions:
        values = _values(table, spec)
        if values in existing:
            catalog.delete_partition(table, values)
        elif not statement.if_exists:
            raise _semantic(f"Partition not found {list(values)}")


def _ddl_failure(message: str) -> QueryError:
    return QueryError(
        "FAILED",
        f"Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {message}",
    )


def _semantic(message: str) -> QueryError:
    return QueryError("FAILED", f"SemanticException {message}")


def _values(table: Table, spec: PartitionSpec) -> tuple[str, ...]:
    """A partition's values in the order of the table's keys; raises QueryError."""
    given = dict(spec)
    names = [key.name for key in table.partition_keys]
    if sorted(name for name, _ in spec) != sorted(names):
        raise _semantic(
            f"Partition spec {{{', '.join(f'{k}={v}' for k, v in spec)}}} does not name the "
            f"partition columns of {table.database}.{table.name}: {', '.join(names) or 'none'}"
        )
    return tuple(given[name] for name in names)


def _path(names: Sequence[str], values: Sequence[str]) -> str:
    """`name=value/…/`, as Hive writes it."""

    def escaped(value: str) -> str:
        return "".join(f"%{ord(char):02X}" if char in _ESCAPED else char for char in value)

    pairs = zip(names, values, strict=True)
    return "".join(f"{escaped(name)}={escaped(value)}/" for name, value in pairs)
