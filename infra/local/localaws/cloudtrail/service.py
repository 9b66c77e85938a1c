"""CloudTrail as a service of the local AWS: puts the parts together and answers its calls."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import functools
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from ministack.services import cloudtrail as control_plane

from localaws.cloudtrail.delivery.bucketwriter import BucketWriter
from localaws.cloudtrail.delivery.delivery import Delivery
from localaws.cloudtrail.delivery.permissions import DeliveryError
from localaws.cloudtrail.delivery.publickeys import PublicKey, SigningKey
from localaws.cloudtrail.history import EventHistory
from localaws.cloudtrail.journal import Journal
from localaws.cloudtrail.knobs import Knobs
from localaws.cloudtrail.place import Place
from localaws.cloudtrail.recording.apicalls import observe_api
from localaws.cloudtrail.recording.observer import observe
from localaws.cloudtrail.recording.recorder import Recorder
from localaws.cloudtrail.settings import CloudTrailSettings
from localaws.cloudtrail.trails import MinistackTrails
from localaws.protocol import AwsError, AwsRequest, AwsResponse, json_object
from localaws.server.wire import App
from localaws.settings import Settings

_log = logging.getLogger(__name__)

_TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"


class CloudTrail:
    """Delivery, digests and public keys; every other call stays ministack's.

    How the server wires it::

        cloudtrail = CloudTrail(settings, CloudTrailSettings.from_env(os.environ))
        chain = durable.wrap(cloudtrail.observe(ministack.app.app))
        cloudtrail.deliver_through(chain)   # its own files are as durable as anybody's
        app = cloudtrail.observe_api(everything)

    `start` opens the journal; requests must not come before.
    """

    name = "cloudtrail"
    targets = frozenset(
        f"{_TARGET}.{action}" for action in ("ListPublicKeys", "GetTrailStatus", "LookupEvents")
    )

    def __init__(self, settings: Settings, pace: CloudTrailSettings) -> None:
        self._place = Place(settings.account_id, settings.region)
        self._pace = pace
        self._directory = settings.state / "cloudtrail"
        self._key = functools.cache(functools.partial(SigningKey.of, self._directory / "keys"))
        self._trails = MinistackTrails()
        self._knobs = Knobs(pace.seed)
        self._journals = {
            region: Journal(self._directory / journal_name(region, settings.region))
            for region in settings.regions
        }
        self._histories = {
            region: EventHistory(self._directory / f"history-{region}.sqlite")
            for region in settings.regions
        }
        self._recorder = Recorder(
            journals=self._journals,
            histories=self._histories,
            trails=self._trails,
            knobs=self._knobs,
            place=self._place,
        )
        self._deliveries: dict[str, Delivery] = {}
        self._task: asyncio.Task[None] | None = None

    def observe(self, app: App) -> App:
        """Wrap the application that serves S3; delivers through it unless told otherwise."""
        observed = observe(app, self._recorder, self._place.account_id)
        self.deliver_through(observed)
        return observed

    def observe_api(self, app: App) -> App:
        """Wrap the whole local AWS, whose every call is a trail's to log that wants it."""
        return observe_api(app, self._recorder, self._place.account_id)

    def deliver_through(self, app: App) -> None:
        """Write log files and digests through `app`: what `observe` gave, or a wrap of it."""
        writer = BucketWriter(app, self._place)
        self._deliveries = {
            region: Delivery(
                journal=journal,
                trails=self._trails,
                knobs=self._knobs,
                writer=writer,
                key=functools.partial(self._key, region),
                settings=self._pace,
                place=replace(self._place, region=region),
            )
            for region, journal in self._journals.items()
        }

    def recover_write(self, bucket: str, key: str, version_id: str) -> bool:
        """Whether a write that was never answered is on record; then it happened.

        For recovery after a kill, before `start`. The notifications of such a write are queued
        again: nobody knows how far they came, and S3 promises them at least once.
        """
        journal = self._journals[self._place.region]
        if not journal.has_write(bucket, key, version_id):
            return False
        for notification in journal.notifications(bucket, key, version_id):
            notification.send()
        return True

    # Lifecycle

    async def start(self) -> None:
        """Begin to deliver. What `recover_write` queued must be safe by now."""
        self._journals[self._place.region].forget_all_notifications()
        self._task = asyncio.create_task(self._run(), name="cloudtrail-delivery")

    async def stop(self) -> None:
        """Stop delivering; what waits stays in the journal for the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for journal in self._journals.values():
            journal.close()
        for history in self._histories.values():
            history.close()

    async def _run(self) -> None:
        while True:
            for delivery in self._delivering():
                try:
                    await delivery.run_once()
                except Exception:  # noqa: BLE001
                    # Whatever went wrong with one round must not end delivery; nothing is lost by
                    # it, the journal still has it.
                    _log.exception(
                        "delivery failed; trying again in %g s", self._pace.delivery_seconds
                    )
            await asyncio.sleep(self._pace.delivery_seconds)

    def _delivering(self) -> list[Delivery]:
        if not self._deliveries:
            raise RuntimeError("CloudTrail.observe was not called: nothing to deliver through")
        return list(self._deliveries.values())

    # AWS's calls

    async def handle(self, request: AwsRequest) -> AwsResponse:
        """ListPublicKeys, GetTrailStatus and LookupEvents, each of the region that is asked."""
        if request.region not in self._journals:
            raise AwsError(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        if request.action == "ListPublicKeys":
            return self._list_public_keys(request.json(), request.region)
        if request.action == "LookupEvents":
            return AwsResponse.of(self._histories[request.region].lookup(request.json()))
        return await self._get_trail_status(request)

    def _list_public_keys(self, payload: Mapping[str, Any], region: str) -> AwsResponse:
        now = dt.datetime.now(dt.UTC)
        end = _moment(payload, "EndTime", now)
        start = _moment(payload, "StartTime", end - dt.timedelta(days=1))
        if start > end:
            raise AwsError("InvalidTimeRangeException", "StartTime is later than EndTime.")
        key = self._key(region).public
        held = key.valid_from <= end and start <= key.valid_until
        return AwsResponse.of({"PublicKeyList": [_public_key(key)] if held else []})

    async def _get_trail_status(self, request: AwsRequest) -> AwsResponse:
        """ministack's answer, and what became of the region's deliveries, which are ours."""
        target = {"x-amz-target": request.target or ""}
        status, headers, body = await control_plane.handle_request(
            request.method, request.path, target, request.body, {}
        )
        if status != 200:
            return AwsResponse(status, headers, body)
        arn = self._arn(str(request.json().get("Name", "")))
        went = self._deliveries[request.region].status(arn)
        known = {
            "LatestDeliveryTime": went.latest_delivery,
            "LatestDeliveryError": went.latest_delivery_error,
            "LatestDigestDeliveryTime": went.latest_digest,
            "LatestDigestDeliveryError": went.latest_digest_error,
        }
        told = {name: value for name, value in known.items() if value is not None}
        return AwsResponse.of({**json.loads(body), **told})

    def _arn(self, name: str) -> str:
        arns = [
            trail.arn
            for trail in self._trails.of(self._place.account_id)
            if name in (trail.arn, trail.name)
        ]
        return arns[0] if arns else name

    # What AWS does not have: /_local/cloudtrail/…

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:
        """The knobs of rehearsals; bodies and answers are JSON.

        `GET` (no path): the knobs and what waits. `POST knobs`: see `Knobs.set_pace`.
        `POST drop` and `POST duplicate`: `{event_name?, bucket?, key?, count?}`, the next
        events that fit. `POST flush`: deliver everything now, answers when it is in the buckets.
        `POST digest`: a digest up to now. Raises AwsError for anything else.
        """
        payload = json_object(body)
        actions: dict[tuple[str, str], Callable[[], Awaitable[dict[str, Any]]]] = {
            ("GET", ""): self._state,
            ("POST", "knobs"): functools.partial(self._turn, self._knobs.set_pace, payload),
            ("POST", "drop"): functools.partial(self._turn, self._knobs.drop_next, payload),
            ("POST", "duplicate"): functools.partial(
                self._turn, self._knobs.duplicate_next, payload
            ),
            ("POST", "flush"): self._flush,
            ("POST", "digest"): self._digest,
        }
        action = actions.get((method, path.strip("/")))
        if action is None:
            known = ", ".join(f"{m} {p}".strip() for m, p in actions)
            raise AwsError(
                "ResourceNotFoundException", f"no {method} {path!r}; there are {known}", 404
            )
        return AwsResponse.of(await action())

    async def _state(self) -> dict[str, Any]:
        waiting = Counter[str]()
        for journal in self._journals.values():
            waiting.update(journal.counts())
        return {"knobs": self._knobs.state(), **waiting}

    async def _turn(
        self, knob: Callable[[Mapping[str, Any]], None], payload: Mapping[str, Any]
    ) -> dict[str, Any]:
        knob(payload)
        return await self._state()

    async def _flush(self) -> dict[str, Any]:
        return {"log_files": await self._everywhere(Delivery.flush)}

    async def _digest(self) -> dict[str, Any]:
        return {"digests": await self._everywhere(Delivery.digest_now)}

    async def _everywhere(self, deliver: Callable[[Delivery], Awaitable[list[str]]]) -> list[str]:
        """What all regions have delivered; one that cannot does not keep the others from it."""
        done = await asyncio.gather(*map(deliver, self._delivering()), return_exceptions=True)
        for failure in done:
            if isinstance(failure, DeliveryError):
                raise AwsError(failure.code, str(failure), 409) from failure
            if isinstance(failure, BaseException):
                raise failure
        return [uri for uris in done if isinstance(uris, list) for uri in uris]


def journal_name(region: str, home: str) -> str:
    """The file of a region's journal; that of the buckets' region has the name without one."""
    return "journal.sqlite" if region == home else f"journal-{region}.sqlite"


def _moment(payload: Mapping[str, Any], name: str, default: dt.datetime) -> dt.datetime:
    value = payload.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**35:
        raise AwsError("SerializationException", f"{name}: give epoch seconds")
    return dt.datetime.fromtimestamp(value, dt.UTC)


def _public_key(key: PublicKey) -> dict[str, Any]:
    return {
        "Value": base64.b64encode(key.value).decode(),
        "ValidityStartTime": key.valid_from.timestamp(),
        "ValidityEndTime": key.valid_until.timestamp(),
        "Fingerprint": key.fingerprint,
    }
