"""Gathering the days of the datasets: publications, and the lineage that the runs signed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from custody.aws.publications.keeping import publications_of
from custody.aws.s3.listing import list_folders
from custody.console.evidence import CurrentEvidence, Evidence
from custody.console.lineages import read_stated
from custody.console.lives import MOST_PUBLICATIONS
from custody.core.console.days import DatasetDay, day_of_dataset
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.account import MAX_ACCOUNT_BYTES, DayAccount, account_of
from custody.core.publications.model import PUBLICATION_PREFIX

MOST_DAYS: Final = 31
MOST_DATASETS: Final = 50
"""Of a deployment, so many have a column, the first by their names."""

_AT_ONCE: Final = 16
_KEPT: Final = 4

Days = Mapping[str, Mapping[str, DatasetDay]]
"""By day, the latest first, and by dataset."""


class Datasets:
    """The datasets of a deployment."""

    def __init__(self, current: CurrentEvidence) -> None:
        self._current = current
        self._kept: OrderedDict[int, tuple[Evidence, Days]] = OrderedDict()

    def days(self, count: int) -> Days:
        """The last `count` days of each dataset, with the publication that counts alone.

        Raises `CannotCheck`, or what botocore raises.
        """
        with self._current.lock:
            evidence = self._current.now()
            kept = self._kept.get(count)
            if kept is None or kept[0] is not evidence:
                kept = evidence, self._read(evidence, count)
            self._kept[count] = kept
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return kept[1]

    def day(self, dataset: str, dt: date) -> DatasetDay:
        """One day of a dataset, with its publications; raises as `days` does."""
        with self._current.lock:
            return self._day(self._current.now(), dataset, dt, MOST_PUBLICATIONS)

    def _read(self, evidence: Evidence, count: int) -> Days:
        today = self._current.clock().date()
        days = [today - timedelta(days=number) for number in range(count)]
        bucket = evidence.settings.analytics_bucket
        names = set(list_folders(evidence.s3, bucket, PUBLICATION_PREFIX))
        for dt in days:
            stated = self._current.lineages.of(evidence, dt).lineages
            names |= {each.parameters.get("dataset", "") for each in stated}
        datasets = sorted(names - {""})[:MOST_DATASETS]
        asked = [(name, dt) for dt in days for name in datasets]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda each: self._day(evidence, each[0], each[1], 1), asked)
            read = dict(zip(asked, found, strict=True))
        return {str(dt): {name: read[name, dt] for name in datasets} for dt in days}

    def _day(self, evidence: Evidence, dataset: str, dt: date, most: int) -> DatasetDay:
        stated = self._current.lineages.of(evidence, dt)
        bucket = evidence.settings.analytics_bucket
        publications = publications_of(evidence.s3, bucket, dataset, str(dt), most=most)
        day = day_of_dataset(dataset, str(dt), stated.lineages, publications, stated.unread)
        return replace(day, **_account(evidence, day))


def _account(evidence: Evidence, day: DatasetDay) -> dict[str, Any]:
    """What the run that is shown stated of the rows, if it is what it signed."""
    run = day.accounted
    stated = account_of(run) if run is not None else None
    if stated is None:
        return {}
    version = stated.version
    body = read_stated(evidence, version.bucket, version.key, MAX_ACCOUNT_BYTES)
    if hashlib.sha256(body or b"").hexdigest() == stated.sha256:
        with suppress(MalformedInput):
            return {"account": DayAccount.parse(body or b"")}
    said = f"{version.uri} is not what its run signed"
    return {"unread": "; ".join(filter(None, (day.unread, said)))}
