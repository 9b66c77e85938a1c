"""What is published of earlier days and other datasets, to compare a day with: as signed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from custody.aws.lineage.keeping import reader
from custody.aws.publications.keeping import latest
from custody.aws.s3.errors import ObjectAbsent, ObjectWithheld
from custody.aws.s3.reading import read_version
from custody.core.datasets.quality.results import MAX_RESULTS_BYTES, parse, results_key
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.model import Run
from custody.core.lineage.trust import BadLineage, NoLineage, Read, Trust, lineage_of_run
from custody.core.publications.model import Shown

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class NotComparable(Exception):
    """What is published of another day is not to be believed; the text says why, and the remedy."""


@dataclass(frozen=True)
class Published:
    """The publications in a bucket, and whose signed word there has to be for what they show."""

    s3: S3Client
    bucket: str
    provenance_bucket: str
    trust: Trust

    @property
    def read(self) -> Read:
        """Reads lineage statements."""
        return reader(self.s3, self.provenance_bucket)

    def shown(self, dataset: str, day: date, table: str) -> Shown | None:
        """What is shown of a table of a day; None if nothing is. Raises what botocore raises."""
        publication = latest(self.s3, self.bucket, dataset, str(day))
        tables = publication.shown if publication else ()
        return next((shown for shown in tables if shown.table_name == table), None)

    def rows(self, dataset: str, table: str, days: Sequence[date]) -> dict[date, int]:
        """How many rows the table has on each of these days, where its run has counted them.

        The publication says which run; that run's signed lineage, which bytes hold its results.
        Raises `NotComparable` where these are not to be believed, and what botocore raises.
        """
        found = {day: self._rows(dataset, table, day) for day in days}
        return {day: rows for day, rows in found.items() if rows is not None}

    def _rows(self, dataset: str, table: str, day: date) -> int | None:
        shown = self.shown(dataset, day, table)
        if shown is None:
            return None
        where = f"{table} of {day}, as run {shown.run} built it"
        try:
            lineage = lineage_of_run(Run(str(day), shown.run), self.read, self.trust)
            key = results_key(str(day), shown.run, table)
            stated = [
                output
                for output in lineage.outputs
                if (output.version.bucket, output.version.key) == (self.bucket, key)
            ]
            if not stated:
                return None  # its contract had no rules then
            (results,) = stated
            body = read_version(self.s3, results.version, max_bytes=MAX_RESULTS_BYTES)
            if hashlib.sha256(body).hexdigest() != results.sha256:
                raise NotComparable(f"{where}: {results.version} has other bytes than it signed")
            return parse(body, key)[0].row_count
        except (BadLineage, MalformedInput, NoLineage, ObjectAbsent, ObjectWithheld) as error:
            raise NotComparable(f"{where}: {error}; build that day again") from error
