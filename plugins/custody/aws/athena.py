"""Reading the result of an Athena query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient


def rows(athena: AthenaClient, query_execution_id: str) -> Iterator[dict[str, str | None]]:
    """The rows of a finished SELECT, by column name; every value is text, NULL is None."""
    names: list[str] | None = None
    paginator = athena.get_paginator("get_query_results")
    for page in paginator.paginate(QueryExecutionId=query_execution_id):
        for row in page["ResultSet"]["Rows"]:
            values = [cell.get("VarCharValue") for cell in row["Data"]]
            if names is None:  # a SELECT's first row holds the names of its columns
                names = [name or "" for name in values]
            else:
                yield dict(zip(names, values, strict=True))
