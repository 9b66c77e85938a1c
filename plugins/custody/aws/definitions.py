"""The tables of the Glue catalog, held against their deployed definitions and made right."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, cast

from custody.core.formats.hive_ddl import TableDefinition, definition_of

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import TableInputTypeDef


MISSING: Final = "table"
"""What differs of a table that is not there."""


def make_right(glue: GlueClient, database: str, deployed: TableDefinition) -> tuple[str, ...]:
    """Make a table the deployed one: define it where there is none; its partitions stay.

    Idempotent. Returns what differed, `MISSING` for all of it, nothing if it was right already.
    Raises what botocore raises.
    """
    right = cast("TableInputTypeDef", deployed.to_table_input())
    try:
        table = glue.get_table(DatabaseName=database, Name=deployed.name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        with contextlib.suppress(glue.exceptions.AlreadyExistsException):  # another was faster
            glue.create_table(DatabaseName=database, TableInput=right)
        return (MISSING,)
    differing = deployed.differences(definition_of(table))
    if differing:
        glue.update_table(DatabaseName=database, TableInput=right)
    return differing
