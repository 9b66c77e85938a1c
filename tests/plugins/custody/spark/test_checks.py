"""The tables of checks have the fields of what is kept in them, in order."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from custody.core.lineage.checking import LineageCheck
from custody.core.records.check_table import RecordCheck
from custody.spark.checks import LINEAGE_CHECK, RECORD_CHECK


@pytest.mark.parametrize(
    ("schema", "kind"), [(RECORD_CHECK, RecordCheck), (LINEAGE_CHECK, LineageCheck)]
)
def test_a_check_is_written_field_by_field(schema: Any, kind: type) -> None:
    assert schema.names == [field.name for field in fields(kind)]
    optional = [field.name for field in fields(kind) if "None" in str(field.type)]
    assert [column.name for column in schema if column.nullable] == optional
