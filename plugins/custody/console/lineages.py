"""What the runs of a day state of themselves, verified, and not more than a page can wait for."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Final

from custody.aws.s3.errors import ObjectWithheld
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES, Envelope
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.model import LINEAGE_PREFIX, Lineage, Run, statement_key
from custody.core.lineage.trust import BadLineage, NoLineage, Trust, lineage_of_run, read_part
from custody.reading.deployment import Deployment

log = logging.getLogger(__name__)

MOST_STATEMENTS: Final = 500
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the statements of a day, so many are read, the first by their names."""

_AT_ONCE: Final = 16
_KEPT: Final = 32


@dataclass(frozen=True, slots=True)
class DayOfRuns:
    """The lineage of the runs of a day that are believed; `unread` says what is not in it."""

    lineages: tuple[Lineage, ...]
    unread: str


class Lineages:
    """Reads the days of one deployment. What was read is kept while nothing was added to it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[tuple[str, str], ...], DayOfRuns] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, deployment: Deployment, day: date) -> DayOfRuns:
        """The runs of a day; raises what botocore raises."""
        bucket = deployment.provenance_bucket
        listed = deployment.source.versions(bucket, f"{LINEAGE_PREFIX}dt={day}/")
        stored = [each for each in itertools.islice(listed, MOST_STATEMENTS + 1) if each.is_latest]
        name = tuple((each.version.key, each.version.version_id) for each in stored)
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None:
            return kept
        sizes = itertools.accumulate(each.size for each in stored)
        few = zip(stored[:MOST_STATEMENTS], sizes, strict=False)
        keys = [each.version.key for each, size in few if size <= MOST_BYTES]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            read = pool.map(lambda key: read_stated(deployment, bucket, key), keys)
            raws = dict(zip(keys, read, strict=True))
        found = _believed(raws, deployment.keys.lineage, is_cut=len(keys) < len(stored))
        if None in raws.values():
            return found  # it may be handed out again, with nothing added
        with self._lock:
            self._kept[name] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def read_stated(
    deployment: Deployment, bucket: str, key: str, max_bytes: int = MAX_ENVELOPE_BYTES
) -> bytes | None:
    """What runs have stated, or its first `max_bytes` + 1 bytes; None if it is not there or S3 does
    not hand it out, so that one object hides no other. Raises what botocore raises."""
    try:
        return deployment.source.read(bucket, key, max_bytes=max_bytes)
    except ObjectWithheld as error:
        log.warning("s3://%s/%s cannot be read: %s", bucket, key, error)
        return None


def _believed(raws: Mapping[str, bytes | None], trust: Trust, *, is_cut: bool) -> DayOfRuns:
    runs = dict[Run, None]()
    bad = 0
    for key, raw in raws.items():
        try:
            part = read_part(Envelope.parse(raw or b""), key, trust)
        except (BadLineage, MalformedInput) as error:
            log.info("not believed: %s: %s", key, error)
            bad += 1
            continue
        if key == statement_key(part.lineage.run):
            runs[part.lineage.run] = None
    lineages = []
    for run in runs:
        try:
            lineages.append(lineage_of_run(run, raws.get, trust))
        except (NoLineage, BadLineage) as error:
            log.info("not whole: %s", error)
            bad += 1
    said = [
        *([f"{bad} statements of the day are not believed, or not whole"] if bad else []),
        *([f"more runs state something of the day than the {len(raws)} read"] if is_cut else []),
    ]
    return DayOfRuns(tuple(lineages), "; ".join(said))
