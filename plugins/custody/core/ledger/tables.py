"""The columns of the tables that the reconciliation and the audit write, of publications, and of
what was found of the quality of days.

They are the fields of the rows: what Spark writes, the SQL that defines and reads the tables, and
what is read back from Athena are derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from custody.core.datasets.quality.results import QualityResult
from custody.core.formats.columns import Column, columns_of
from custody.core.ledger.rows import LedgerRow
from custody.core.lineage.checking import LineageCheck
from custody.core.publications.model import PublicationRow
from custody.core.records.check_table import RecordCheck

COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = {
    "ledger": columns_of(LedgerRow),
    "record_checks": columns_of(RecordCheck),
    "lineage_checks": columns_of(LineageCheck),
    "publications": columns_of(PublicationRow),
    "quality_results": columns_of(QualityResult),
}
"""By what a row is; `ledger` for both `reconciliation` and `audit`. Partition keys, and when
and over which window rows were judged, come on top."""
