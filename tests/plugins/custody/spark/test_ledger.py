"""Ledger rows as Parquet."""

from __future__ import annotations

from dataclasses import fields

from custody.core.ledger.rows import LedgerRow
from custody.spark.ledger import ROW


def test_a_row_is_written_field_by_field() -> None:
    assert ROW.names == [field.name for field in fields(LedgerRow)]
    optional = [field.name for field in fields(LedgerRow) if "None" in str(field.type)]
    assert [column.name for column in ROW if column.nullable] == optional
