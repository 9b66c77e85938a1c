"""The observer around a made-up application: order, streaming, and what passes untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ministack.services import s3
from tests.infra.local.cloudtrail.samples import PLACE, trail

from localaws.cloudtrail.journal import Journal
from localaws.cloudtrail.knobs import Knobs
from localaws.cloudtrail.recording import notifications
from localaws.cloudtrail.recording.observer import observe
from localaws.cloudtrail.recording.recorder import Recorder
from localaws.cloudtrail.trails import Trail
from localaws.server.wire import App, Message, Receive, Scope, Send

AUTHORIZATION = b"AWS4-HMAC-SHA256 Credential=AKIA/20261103/us-east-1/%s/aws4_request, Signature=0"


@dataclass(frozen=True)
class Trails:
    """One trail that wants everything, when it logs."""

    logging: bool = True

    def of(self, account_id: str) -> list[Trail]:
        assert account_id == PLACE.account_id
        return [trail(logging=self.logging)]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


@pytest.fixture
def around(journal: Journal) -> Callable[[App], App]:
    recorder = Recorder(
        journals={PLACE.region: journal}, histories={}, trails=Trails(), knobs=Knobs(0), place=PLACE
    )
    return lambda app: observe(app, recorder, PLACE.account_id)


def scope(method: str = "PUT", path: str = "/raw/key", service: bytes = b"s3") -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", AUTHORIZATION % service)],
        "client": ("127.0.0.1", 1),
    }


def answering(status: int = 200, *chunks: bytes, headers: Any = ()) -> App:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for number, chunk in enumerate(chunks or (b"",), start=1):
            more = number < len(chunks)
            await send({"type": "http.response.body", "body": chunk, "more_body": more})

    return app


def ask(app: App, asked: Scope, *body: bytes) -> list[Message]:
    """The messages that came back."""
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": number < len(body)}
        for number, chunk in enumerate(body or (b"",), start=1)
    ]
    came: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        came.append(message)

    asyncio.run(app(asked, receive, send))
    return came


def header(came: list[Message], name: bytes) -> list[bytes]:
    return [value for found, value in came[0]["headers"] if found.lower() == name]


def events(journal: Journal) -> list[dict[str, Any]]:
    return [event.record for event in journal.due(trail().arn, float("inf"), 100)]


def test_bytes_are_counted_as_they_pass(around: Callable[[App], App], journal: Journal) -> None:
    ask(around(answering()), scope(), b"12345", b"678")
    (record,) = events(journal)
    assert record["additionalEventData"]["bytesTransferredIn"] == 8


def test_a_streamed_body_is_passed_on_piece_by_piece(
    around: Callable[[App], App], journal: Journal
) -> None:
    seen: list[int] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"30")],
            }
        )
        for number in range(3):
            seen.append(len(came))
            await send(
                {"type": "http.response.body", "body": b"0123456789", "more_body": number < 2}
            )

    came: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        came.append(message)

    asyncio.run(around(app)(scope("GET"), receive, send))
    # Before each piece was made, all earlier ones had gone out (after the first: head and piece).
    assert seen == [0, 2, 3]
    assert b"".join(m.get("body", b"") for m in came) == b"0123456789" * 3
    (record,) = events(journal)
    assert record["additionalEventData"]["bytesTransferredOut"] == 30


def test_nobody_is_answered_before_the_event_is_journalled(
    around: Callable[[App], App], journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Journal, "append", full)
    with pytest.raises(OSError, match="no space"):
        ask(around(answering(200, b"stored")), scope())


def test_other_services_pass_untouched(around: Callable[[App], App], journal: Journal) -> None:
    headers = [(b"x-amzn-requestid", b"theirs")]
    came = ask(around(answering(200, b"{}", headers=headers)), scope("POST", "/", b"kms"))
    assert came[0]["headers"] == headers
    assert events(journal) == []


def test_one_request_id_wherever_it_shows(around: Callable[[App], App], journal: Journal) -> None:
    error = (
        b"<Error><Code>NoSuchKey</Code><Message>gone</Message>"
        b"<RequestId>5c1f-a-uuid</RequestId><HostId>x</HostId></Error>"
    )
    headers = [
        (b"Content-Length", str(len(error)).encode()),
        (b"x-amz-request-id", b"one"),
        (b"x-amzn-RequestId", b"another"),
    ]
    came = ask(around(answering(404, error, headers=headers)), scope("GET"))
    (request_id,) = header(came, b"x-amz-request-id")
    (host_id,) = header(came, b"x-amz-id-2")
    assert header(came, b"x-amzn-requestid") == []
    body = came[1]["body"]
    assert b"<RequestId>%s</RequestId><HostId>%s</HostId>" % (request_id, host_id) in body
    assert header(came, b"content-length") == [str(len(body)).encode()]
    (record,) = events(journal)
    assert record["requestID"] == request_id.decode()
    assert record["additionalEventData"]["x-amz-id-2"] == host_id.decode()
    assert (record["errorCode"], record["errorMessage"]) == ("NoSuchKey", "gone")


def test_an_error_that_comes_in_pieces_is_read_whole(
    around: Callable[[App], App], journal: Journal
) -> None:
    came = ask(
        around(answering(403, b"<Error><Code>Access", b"Denied</Code></Error>")), scope("GET")
    )
    assert came[1]["body"] == b"<Error><Code>AccessDenied</Code></Error>"
    assert events(journal)[0]["errorCode"] == "AccessDenied"


def test_a_head_keeps_its_content_length(around: Callable[[App], App], journal: Journal) -> None:
    headers = [(b"content-length", b"12345")]
    came = ask(around(answering(200, b"", headers=headers)), scope("HEAD"))
    assert header(came, b"content-length") == [b"12345"]
    (record,) = events(journal)
    assert record["additionalEventData"]["bytesTransferredOut"] == 0


def test_a_notification_waits_for_the_record_and_the_answer_for_it(
    around: Callable[[App], App], journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    told: dict[str, Any] = {}

    def deliver(*_: object, **given: Any) -> None:
        happened.append(f"notified, {len(events(journal))} journalled")
        told.update(given)

    monkeypatch.setattr(s3, "_fire_s3_event", deliver)
    monkeypatch.setattr(s3, "_bucket_notifications", {"raw": "<configured/>"})

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        s3._fire_s3_event_async("raw", "key", "s3:ObjectCreated:Put", size=3, version_id="v1")
        happened.append("stored")
        await answering(200)(_scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        happened.append(message["type"])

    asyncio.run(around(app)(scope(), receive, send))
    assert happened == [
        "stored",
        "notified, 1 journalled",
        "http.response.start",
        "http.response.body",
    ]
    (record,) = events(journal)
    assert told["record_extra"]["responseElements"] == {
        "x-amz-request-id": record["requestID"],
        "x-amz-id-2": record["additionalEventData"]["x-amz-id-2"],
    }
    assert (told["size"], told["version_id"]) == (3, "v1")


def test_a_call_that_breaks_still_sends_its_notification(
    around: Callable[[App], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(s3, "_fire_s3_event", lambda *given, **_: sent.append(given))
    monkeypatch.setattr(s3, "_bucket_notifications", {"raw": "<configured/>"})

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        s3._fire_s3_event_async("raw", "key", "s3:ObjectCreated:Put")
        raise ConnectionError("the client left")

    with pytest.raises(ConnectionError):
        ask(around(app), scope())
    assert len(sent) == 1


def test_notifications_outside_an_observed_call_go_ministacks_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notifications.install()
    started: list[object] = []

    def start(*given: object, **_: object) -> None:
        started.append(given)

    fire = notifications._holding_start(start)
    fire("raw", "key", "s3:ObjectCreated:Put")
    with notifications.holding() as held:
        assert held.release() == []
        fire("raw", "later", "s3:ObjectCreated:Put")
    assert [given[1] for given in started if isinstance(given, tuple)] == ["key", "later"]


def test_a_ministack_we_do_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_fire_s3_event_async", lambda _bucket, _key: None)
    with pytest.raises(RuntimeError, match=r"infra/local/requirements\.txt"):
        notifications.install()


def test_a_write_is_on_record_even_when_no_trail_wants_it(journal: Journal) -> None:
    recorder = Recorder(
        journals={PLACE.region: journal},
        histories={},
        trails=Trails(logging=False),
        knobs=Knobs(0),
        place=PLACE,
    )
    app = observe(
        answering(200, headers=[(b"x-amz-version-id", b"v1")]), recorder, PLACE.account_id
    )
    ask(app, scope())
    ask(app, scope("GET", "/raw/read"))
    assert journal.has_write("raw", "key", "v1")
    assert not journal.has_write("raw", "key", "v2")
    assert not journal.has_write("raw", "read", "v1")
    assert events(journal) == []
