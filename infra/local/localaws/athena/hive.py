"""`CREATE EXTERNAL TABLE`, read by sqlglot's Hive grammar, as the Glue catalog keeps it."""

from __future__ import annotations

from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.sql import types

PARQUET_INPUT: Final = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT: Final = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
PARQUET_SERDE: Final = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"


_KNOWN = (
    *(exp.ExternalProperty, exp.SchemaCommentProperty, exp.PartitionedByProperty, exp.Property),
    *(exp.RowFormatSerdeProperty, exp.FileFormatProperty, exp.LocationProperty),
)


def table_input(statement: str, name: str) -> dict[str, Any]:
    """The `TableInput` that a statement describes; raises QueryError."""
    try:
        tree = sqlglot.parse_one(statement, dialect="hive")
    except SqlglotError as error:
        raise QueryError("FAILED", f"ParseException {str(error).splitlines()[0]}") from error
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        raise not_supported("this form of CREATE EXTERNAL TABLE")
    clauses = tree.args["properties"].expressions
    for one in clauses:
        if type(one) not in _KNOWN:
            raise not_supported(f"{one.sql('hive')} in CREATE EXTERNAL TABLE")
    found = {type(one): one for one in clauses}
    parameters = {"EXTERNAL": "TRUE"}
    parameters |= _properties([one for one in clauses if type(one) is exp.Property])
    if exp.SchemaCommentProperty in found:
        parameters["comment"] = found[exp.SchemaCommentProperty].name
    keys = found.get(exp.PartitionedByProperty)
    columns = [_column(one) for one in tree.this.expressions]
    partition_keys = [] if keys is None else [_column(one) for one in keys.this.expressions]
    names = [one["Name"] for one in (*columns, *partition_keys)]
    duplicate = next((one for one in names if names.count(one) > 1), None)
    if duplicate is not None:
        raise QueryError("FAILED", f"SemanticException: Duplicate column name: {duplicate}")
    if exp.LocationProperty not in found:
        raise QueryError("FAILED", "SemanticException: No location specified for the table")
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": partition_keys,
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location(found[exp.LocationProperty].name),
            **_storage(found.get(exp.RowFormatSerdeProperty), found.get(exp.FileFormatProperty)),
        },
    }


def _storage(serde: exp.Expr | None, stored: exp.Expr | None) -> dict[str, Any]:
    """What ROW FORMAT SERDE and STORED AS say; raises QueryError."""
    formats, library = (_TEXT_INPUT, _TEXT_OUTPUT), ""
    if stored is not None and isinstance(stored.this, exp.InputOutputFormat):
        both = stored.this.args
        formats = (both["input_format"].name, both["output_format"].name)
    elif stored is not None and stored.name.upper() == "PARQUET":
        formats, library = (PARQUET_INPUT, PARQUET_OUTPUT), PARQUET_SERDE
    elif stored is not None and stored.name.upper() != "TEXTFILE":
        raise not_supported(f"STORED AS {stored.name}")
    given = None
    if serde is not None:
        library, given = serde.name, serde.args.get("serde_properties")
    if not library:
        raise not_supported("a table without ROW FORMAT SERDE or STORED AS PARQUET")
    parameters = _properties(given.expressions) if given else {"serialization.format": "1"}
    return {
        "InputFormat": formats[0],
        "OutputFormat": formats[1],
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": parameters},
    }


def location(uri: str) -> str:
    """`uri` if it names a place in S3; raises QueryError."""
    if not uri.startswith("s3://") or len(uri) <= len("s3://"):
        raise QueryError("FAILED", f"SemanticException: The location '{uri}' is not an s3:// path")
    return uri


def _properties(items: list[exp.Expr]) -> dict[str, str]:
    return {one.name: one.args["value"].name for one in items}


def _column(node: exp.Expr) -> dict[str, str]:
    kind = node.args.get("kind")
    if not isinstance(node, exp.ColumnDef) or not isinstance(kind, exp.DataType):
        raise not_supported(f"the column {node.sql('hive')}")
    # varchar(n) stays as written: the catalog shows the user's own words.
    is_varchar = kind.this == exp.DType.VARCHAR
    written = kind.sql("hive").lower() if is_varchar else types.hive_name(types.of(kind))
    column = {"Name": node.name.lower(), "Type": written}
    for constraint in node.args.get("constraints") or []:
        if not isinstance(constraint.kind, exp.CommentColumnConstraint):
            raise not_supported(f"the column {node.sql('hive')}")
        column["Comment"] = constraint.kind.name
    return column
