"""The definitions of tables in the Glue catalog, held against those deployed and made right."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from custody.core.formats.hive_ddl import TableDefinition, definition_of

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import TableInputTypeDef


def create_missing(glue: GlueClient, database: str, deployed: TableDefinition) -> bool:
    """Create a table as deployed where there is none of its name, and say whether there was none.

    Idempotent. Raises what botocore raises.
    """
    try:
        table_input = cast("TableInputTypeDef", deployed.to_table_input())
        glue.create_table(DatabaseName=database, TableInput=table_input)
    except glue.exceptions.AlreadyExistsException:
        return False
    return True


def make_right(glue: GlueClient, database: str, deployed: TableDefinition) -> tuple[str, ...]:
    """Make a table's definition the deployed one; its partitions stay.

    Returns what differed, nothing if it was right already or if there is no such table. Raises what
    botocore raises.
    """
    try:
        table = glue.get_table(DatabaseName=database, Name=deployed.name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        return ()
    differing = deployed.differences(definition_of(table))
    if differing:
        right = cast("TableInputTypeDef", deployed.to_table_input())
        glue.update_table(DatabaseName=database, TableInput=right)
    return differing
