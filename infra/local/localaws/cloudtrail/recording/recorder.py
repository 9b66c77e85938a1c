"""From a finished call to the journal: which trails want it, and what the knobs make of it."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from localaws.cloudtrail import selectors
from localaws.cloudtrail.history import EventHistory
from localaws.cloudtrail.journal import Journal
from localaws.cloudtrail.knobs import Knobs
from localaws.cloudtrail.place import Place
from localaws.cloudtrail.recording import events, management
from localaws.cloudtrail.recording.events import Actor, Outcome, Record
from localaws.cloudtrail.recording.management import Answer, ApiCall
from localaws.cloudtrail.recording.notifications import Notification
from localaws.cloudtrail.recording.s3calls import S3Call
from localaws.cloudtrail.trails import Trail, Trails

_log = logging.getLogger(__name__)


class Recorder:
    """Writes the events of one account, each into the journal of its region.

    `journals` and `histories` are by region; `place` is where the buckets are.
    """

    def __init__(
        self,
        *,
        journals: Mapping[str, Journal],
        histories: Mapping[str, EventHistory],
        trails: Trails,
        knobs: Knobs,
        place: Place,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journals = journals
        self._histories = histories
        self._trails = trails
        self._knobs = knobs
        self._place = place
        self._clock = clock

    def record(
        self,
        call: S3Call,
        actor: Actor,
        outcome: Outcome,
        notified: Sequence[Notification] = (),
    ) -> None:
        """Journal the call for every trail that wants it; it is on disk when this returns.

        A write no trail wants is noted too (see `Journal.has_write`), and so are the call's
        notifications, until it is `answered`.
        """
        record = events.build(
            call,
            actor,
            outcome,
            event_id=str(uuid.uuid4()),
            place=self._place,
        )
        trails = self._trails.of(self._place.account_id)
        wanting = [trail.arn for trail in trails if self._wants(trail, record)]
        if not wanting and call.read_only:
            return
        self._append(record, wanting, notified)

    @property
    def regions(self) -> Sequence[str]:
        """The regions of the account, first the one of the buckets."""
        return list(self._journals)

    def trails(self) -> list[Trail]:
        """Every trail as it stands."""
        return self._trails.of(self._place.account_id)

    def record_call(
        self,
        call: ApiCall,
        request: bytes,
        actor: Actor,
        answer: Answer,
        before: Sequence[Trail],
        region: str,
    ) -> None:
        """Journal an API call in `region` for every trail that wants it, and for its history; it is
        on disk when this returns.

        A trail logs the call that stops it and the call that starts it: `before` are the trails as
        they were.
        """
        record = management.build(
            call,
            request,
            actor,
            answer,
            event_id=str(uuid.uuid4()),
            shared_event_id=str(uuid.uuid4()),
            place=replace(self._place, region=region),
        )
        if record is None:
            return
        self._histories[region].append(record)
        known = [*before, *self.trails()] if call.service == "cloudtrail" else before
        wanting = sorted({trail.arn for trail in known if self._wants(trail, record)})
        if wanting:
            self._append(record, wanting, ())

    def _append(
        self, record: Record, wanting: Sequence[str], notified: Sequence[Notification]
    ) -> None:
        own = record["userIdentity"].get("invokedBy") == events.CLOUDTRAIL
        # Rehearsed accidents happen to what people do, not to our own deliveries.
        holds = [0.0] if own or not wanting else self._knobs.holds(record)
        now = self._clock()
        journal = self._journals[record["awsRegion"]]
        journal.append(record, wanting, [now + hold for hold in holds], own, notified)

    def answered(self, request_id: str) -> None:
        """The caller has its answer: the notifications of the call are somebody else's care."""
        self._journals[self._place.region].forget_notifications(request_id)

    def _wants(self, trail: Trail, record: Record) -> bool:
        if not trail.logging or not trail.covers(record["awsRegion"]):
            return False
        try:
            return selectors.wants(trail.selectors, record)
        except selectors.SelectorError as error:
            _log.error("trail %s: %s; the event is not recorded", trail.arn, error)
            return False
