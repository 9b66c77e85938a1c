"""Delivers what is due: log files into the trails' buckets, and digests of what was delivered."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import math
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass

from localaws.cloudtrail.delivery import digests, logfiles
from localaws.cloudtrail.delivery.bucketwriter import FileWriter
from localaws.cloudtrail.delivery.digests import Window
from localaws.cloudtrail.delivery.permissions import DeliveryError
from localaws.cloudtrail.delivery.publickeys import SigningKey
from localaws.cloudtrail.journal import DigestFile, Journal, LogFile
from localaws.cloudtrail.knobs import Knobs
from localaws.cloudtrail.place import Place
from localaws.cloudtrail.settings import CloudTrailSettings
from localaws.cloudtrail.trails import Trail, Trails

_log = logging.getLogger(__name__)
_ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(slots=True)
class DeliveryStatus:
    """A trail's delivery as GetTrailStatus tells of it; times in epoch seconds."""

    latest_delivery: float | None = None
    latest_delivery_error: str | None = None
    latest_digest: float | None = None
    latest_digest_error: str | None = None


class Delivery:
    """Delivery of one account and region. Its methods may be called concurrently."""

    def __init__(
        self,
        *,
        journal: Journal,
        trails: Trails,
        knobs: Knobs,
        writer: FileWriter,
        key: Callable[[], SigningKey],
        settings: CloudTrailSettings,
        place: Place,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._trails = trails
        self._knobs = knobs
        self._writer = writer
        self._key = key
        self._settings = settings
        self._place = place
        self._clock = clock
        self._lock = asyncio.Lock()
        self._status: dict[str, DeliveryStatus] = {}

    def status(self, trail_arn: str) -> DeliveryStatus:
        """How delivery to a trail has gone since the start."""
        return self._status.setdefault(trail_arn, DeliveryStatus())

    async def run_once(self) -> None:
        """Deliver what is due now, then the digests of the windows that have closed."""
        async with self._lock:
            await self._follow_trails()
            await self._deliver(self._clock())
            await self._digest_due()

    async def flush(self) -> list[str]:
        """Deliver everything, due or not; answers the keys written, as `s3://` URIs.

        Raises DeliveryError when a bucket refuses (what it refused stays, and is tried again).
        """
        async with self._lock:
            await self._follow_trails()
            written = await self._deliver(math.inf)
            if refused := {file.trail for file in self._journal.planned_files()}:
                errors = (
                    f"{arn}: {self.status(arn).latest_delivery_error}" for arn in sorted(refused)
                )
                raise DeliveryError("DeliveryFailed", f"not delivered: {'; '.join(errors)}")
            return written

    async def digest_now(self) -> list[str]:
        """Close every validated trail's window now; answers the digests' URIs.

        A digest's name and window count in seconds: this waits for the current one to be over.
        """
        async with self._lock:
            await self._follow_trails()
            await self._deliver(self._clock())
            chains = [
                chain
                for arn in self._journal.chained_trails()
                if (chain := self._journal.chain(arn))
            ]
            end = max(int(self._clock()), *(chain.window_start for chain in chains), 0) + 1
            await asyncio.sleep(max(0.0, end - self._clock()))
            for trail in self._validated():
                chain = self._journal.chain(trail.arn)
                if chain is not None:
                    self._plan_digest(trail, Window(chain.window_start, end))
            return await self._write_digests()

    # Log files

    async def _deliver(self, now: float) -> list[str]:
        trails = {trail.arn: trail for trail in self._trails.of(self._place.account_id)}
        for arn in self._journal.trails_due(now):
            trail = trails.get(arn)
            if trail is None:
                _log.warning(
                    "trail %s is gone; %d events were not delivered",
                    arn,
                    self._journal.discard(arn),
                )
                continue
            self._plan_files(trail, now)
        return await self._write_files(trails)

    def _plan_files(self, trail: Trail, now: float) -> None:
        """Put everything of the trail that is due into files, `events_per_file` to each."""
        moment = dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        while due := self._journal.due(trail.arn, now, self._settings.events_per_file):
            records = [event.record for event in due]
            self._knobs.shuffle(records)
            unique = "".join(secrets.choice(_ALPHANUMERIC) for _ in range(16))
            key = logfiles.log_key(trail, self._place, moment, unique)
            self._journal.plan_file(logfiles.log_file(trail, key, records), due)

    async def _write_files(self, trails: dict[str, Trail]) -> list[str]:
        written = []
        refused: set[str] = set()
        for file in self._journal.planned_files():
            if file.trail in refused:
                continue
            status = self.status(file.trail)
            try:
                await self._write_file(file)
            except DeliveryError as error:
                refused.add(file.trail)
                if file.trail not in trails:
                    _log.warning("trail %s is gone and its bucket refuses: %s", file.trail, error)
                    self._journal.discard(file.trail)
                elif status.latest_delivery_error != error.code:  # once, not at every attempt
                    _log.error("log file not delivered, will try again: %s", error)
                status.latest_delivery_error = error.code
                continue
            status.latest_delivery = self._clock()
            status.latest_delivery_error = None
            self._journal.file_delivered(file, status.latest_delivery)
            written.append(f"s3://{file.bucket}/{file.key}")
        return written

    async def _write_file(self, file: LogFile) -> None:
        await self._writer.put(
            trail_arn=file.trail,
            bucket=file.bucket,
            key=file.key,
            body=file.body,
            kms_key_id=file.kms_key_id,
            metadata={},
        )

    # Digests

    def _validated(self) -> list[Trail]:
        return [
            trail
            for trail in self._trails.of(self._place.account_id)
            if trail.logging and trail.validated and trail.covers(self._place.region)
        ]

    async def _follow_trails(self) -> None:
        """Begin chains of trails that are now validated, end those of trails that no longer are.

        A chain that is to end lists what was delivered so far in a last digest first. Of a trail
        that was stopped, that is everything up to the call that stopped it.
        """
        validated = {trail.arn for trail in self._validated()}
        known = {trail.arn: trail for trail in self._trails.of(self._place.account_id)}
        chained = set(self._journal.chained_trails())
        now = math.floor(self._clock())
        stopped = [trail for trail in known.values() if not trail.logging and trail.arn in chained]
        for trail in stopped:
            self._plan_files(trail, math.inf)
        if stopped:
            await self._write_files(known)
            now = math.floor(self._clock())
        for arn in sorted(chained - validated):
            chain, ended = self._journal.chain(arn), known.get(arn)
            if chain and ended and self._journal.undigested(arn, now + 1):
                self._plan_digest(ended, Window(chain.window_start, now + 1))
            self._journal.end_chain(arn)
        for arn in sorted(validated - chained):
            self._journal.start_chain(arn, now)
        for arn in sorted((known.keys() | chained) - validated):
            self._journal.forget_undigested(arn)

    async def _digest_due(self) -> None:
        now = self._clock()
        for trail in self._validated():
            chain = self._journal.chain(trail.arn)
            if chain is None:
                continue
            for window in digests.windows_due(
                chain.window_start,
                now,
                self._settings.digest_seconds,
                self._settings.catch_up_digests,
            ):
                self._plan_digest(trail, window)
        await self._write_digests()

    def _plan_digest(self, trail: Trail, window: Window) -> None:
        chain = self._journal.chain(trail.arn)
        if chain is None:
            raise LookupError(f"trail {trail.arn} has no digest chain")
        files = self._journal.undigested(trail.arn, window.end)
        digest, after = digests.build(
            trail=trail,
            place=self._place,
            window=window,
            files=files,
            chain=chain,
            key=self._key(),
        )
        self._journal.plan_digest(digest, files, after)

    async def _write_digests(self) -> list[str]:
        written = []
        blocked: set[str] = set()
        for digest in self._journal.planned_digests():
            # A chain is written in its order: after a failure its later digests wait.
            if digest.trail in blocked:
                continue
            status = self.status(digest.trail)
            try:
                await self._write_digest(digest)
            except DeliveryError as error:
                blocked.add(digest.trail)
                if status.latest_digest_error != error.code:
                    _log.error("digest not delivered, will try again: %s", error)
                status.latest_digest_error = error.code
                continue
            status.latest_digest = self._clock()
            status.latest_digest_error = None
            self._journal.digest_delivered(digest)
            written.append(f"s3://{digest.bucket}/{digest.key}")
        return written

    async def _write_digest(self, digest: DigestFile) -> None:
        await self._writer.put(
            trail_arn=digest.trail,
            bucket=digest.bucket,
            key=digest.key,
            body=digest.body,
            kms_key_id=digest.kms_key_id,
            metadata=digests.metadata(digest),
        )
