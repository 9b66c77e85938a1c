"""Gathering what the console shows: what the runs signed, and how far the watchers have come."""

from __future__ import annotations

import functools
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from custody.aws.answers.keeping import Answers, keep_answer
from custody.aws.runs.history import RunHistory
from custody.aws.runs.last import last_run
from custody.aws.s3.errors import ObjectWithheld
from custody.aws.s3.heads import SEAL_HEAD, TRAIL_HEAD, head_key
from custody.aws.s3.reading import Content, read_current
from custody.core.answers.model import Answer
from custody.core.console.overview import Evidence, Overview, overview
from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.signed_note import BadNote, NoteKey
from custody.core.trail.heads import Heads
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

MAX_DAYS: Final = 90
FRESH_FOR: Final = timedelta(seconds=30)
"""How long what was read is shown again: whoever reloads costs AWS nothing."""

_KEPT: Final = 4
_MAX_HEAD_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Console:
    """Reads one deployment: with `s3`, believing what `key` signed, and of people's answers those
    that `kms` has the key of (None: it tells of none)."""

    s3: S3Client
    settings: Settings
    key: NoteKey
    kms: KMSClient | None = None

    @functools.cached_property
    def _history(self) -> RunHistory:
        settings = self.settings
        return RunHistory(self.key, settings.provenance_bucket, settings.judging_jobs)

    @functools.cached_property
    def _answers(self) -> Answers | None:
        if self.kms is None:
            return None
        return Answers(self.kms, self.settings.provenance_bucket, self.settings.answer_key_arn)

    def answer(self, answer: Answer) -> None:
        """Sign and keep an answer; raises `AnswerConflict`, `ValueError` without a key, or what
        botocore raises."""
        key_arn = self.settings.answer_key_arn
        if self.kms is None or not key_arn:
            raise ValueError("this deployment has no key that signs answers")
        bucket = self.settings.provenance_bucket
        keep_answer(self.s3, self.kms, answer, key_arn=key_arn, bucket=bucket)

    def overview(self, first: date, now: datetime) -> Overview:
        """What is known of the days from `first` until `now`; raises what botocore raises."""
        days = [first + timedelta(days=n) for n in range((now.date() - first).days + 1)]
        return overview(
            self._evidence(days, now),
            reconcile_job=self.settings.reconcile_job,
            audit_job=self.settings.audit_job,
            policy=self.settings.sha256,
            first=first,
            now=now,
        )

    def _evidence(self, days: list[date], now: datetime) -> Evidence:
        runs = self._history.runs(self.s3, days)
        bucket, job = self.settings.provenance_bucket, self.settings.reconcile_job
        last = last_run(self.s3, self.key, bucket, job=job, as_of=now)
        link = last.link if last else None
        checkpoint, grown = self._checkpoint()
        return Evidence(
            runs=runs.read,
            disbelieved=runs.disbelieved,
            judged=link.reached.judged if link else None,
            closed=link.reached.closed if link else None,
            sealed=grown if checkpoint else None,
            entries=checkpoint.size if checkpoint else None,
            proven=self._proven(),
            answers=self._answers.since(self.s3, days[0]) if self._answers else {},
        )

    def _checkpoint(self) -> tuple[Checkpoint | None, datetime | None]:
        """The checkpoint that the audit remembers, and since when; None if the key has not signed
        what lies there."""
        head = self._head(SEAL_HEAD)
        if head is None:
            return None, None
        try:
            opened = Checkpoint.open(head.body, origin=self.key.name, keys=self.key.all)
        except (BadNote, MalformedInput) as error:
            log.warning("the remembered checkpoint is not believed: %s", error)
            return None, None
        return opened, head.last_modified

    def _proven(self) -> datetime | None:
        """Until when the trail is proven in every region of which anything is; as the audit's role,
        which alone writes there, remembers it."""
        head = self._head(TRAIL_HEAD)
        if head is None:
            return None
        try:
            heads = Heads.from_json(head.body, self.settings.trail_layout)
        except MalformedInput as error:
            log.warning("the remembered heads of the trail are not believed: %s", error)
            return None
        return min((each.end for each in heads.by_region.values()), default=None)

    def _head(self, name: str) -> Content | None:
        """One that S3 does not hand out is as none: who encrypted it anew blinds nobody to the
        rest, and the audit says so."""
        bucket = self.settings.analytics_bucket
        try:
            return read_current(self.s3, bucket, head_key(name), max_bytes=_MAX_HEAD_BYTES)
        except ObjectWithheld as error:
            log.warning("the remembered head %s cannot be read: %s", name, error)
            return None


class Overviews:
    """Overviews of the last days, each read again when it is older than `FRESH_FOR`.

    `console` opens the deployment as its settings are now, `clock` gives the time. Of several
    threads one reads, and the others wait for what it read.
    """

    def __init__(self, console: Callable[[], Console], clock: Callable[[], datetime]) -> None:
        self._open = console
        self._clock = clock
        self._lock = threading.Lock()
        self._console: Console | None = None
        self._opened_at = datetime.min.replace(tzinfo=UTC)
        self._kept: OrderedDict[int, Overview] = OrderedDict()

    def of(self, days: int) -> tuple[Overview, Settings]:
        """The last `days` days, and the settings of the deployment.

        Raises what botocore raises, and what `console` does.
        """
        with self._lock:
            now = self._clock()
            console = self._fresh(now)
            kept = self._kept.get(days)
            if kept is None or now - kept.now > FRESH_FOR:
                kept = console.overview(now.date() - timedelta(days=days - 1), now)
            self._kept[days] = kept
            self._kept.move_to_end(days)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return kept, console.settings

    def answer(self, answer: Answer) -> None:
        """Keep an answer, which the next overview tells of; raises like `Console.answer`."""
        with self._lock:
            self._reopened(self._clock()).answer(answer)
            self._kept.clear()

    def now(self) -> datetime:
        """The time by the clock that overviews are of."""
        return self._clock()

    def console(self) -> Console:
        """The deployment as it is, or was no longer than `FRESH_FOR` ago: another object if it is
        another.

        Raises what `console` does.
        """
        with self._lock:
            return self._fresh(self._clock())

    def _fresh(self, now: datetime) -> Console:
        if self._console is None or now - self._opened_at > FRESH_FOR:
            return self._reopened(now)
        return self._console

    def _reopened(self, now: datetime) -> Console:
        """The console that is open, with what it has read, unless settings or key are others."""
        found, kept = self._open(), self._console
        if kept is None or (found.settings.sha256, found.key) != (kept.settings.sha256, kept.key):
            self._kept.clear()
            kept = found
        self._console, self._opened_at = kept, now
        return kept
