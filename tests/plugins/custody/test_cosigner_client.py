"""Posting to somebody outside who may say anything, slowly, or nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from custody.core.tlog.witness_protocol import MAX_ANSWER_BYTES, Reply, Unreachable
from custody.cosigner_client import RETRIES, poster

AT_ONCE = urllib3.Retry.new(RETRIES, backoff_factor=0)
Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Somebody who answers so; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer(self, body)

        do_GET = do_POST  # noqa: N815 - what a redirect would become

        def log_message(self, *_: object) -> None: ...

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_address[1]}/w"
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


def saying(status: int, content: bytes = b"", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


def test_what_is_posted_arrives_and_what_is_answered_comes_back():
    seen = []

    def answer(request: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append((request.path, body))
        saying(409, b"7\n", Content_Type="text/x.tlog.size")(request, body)

    with server(answer) as url:
        for prefix in (url, f"{url}/"):
            assert poster(prefix)(b"old 0\n") == Reply(409, "text/x.tlog.size", b"7\n")
    assert seen == [("/w/add-checkpoint", b"old 0\n")] * 2


def test_an_answer_is_read_up_to_a_bound_and_never_unpacked():
    with server(saying(200, b"x" * (2 * MAX_ANSWER_BYTES))) as url:
        assert len(poster(url)(b"").body) == MAX_ANSWER_BYTES
    with server(saying(200, b"no gzip", Content_Encoding="gzip")) as url:
        assert poster(url)(b"").body == b"no gzip"


def test_who_is_busy_is_asked_again():
    statuses = [503, 429, 500, 200]

    def answer(request: BaseHTTPRequestHandler, body: bytes) -> None:
        saying(statuses.pop(0), b"signed", Retry_After="86400")(request, body)

    with server(answer) as url:
        assert poster(url, retries=AT_ONCE)(b"").status == 200
    assert statuses == []


def test_who_stays_busy_is_left_alone_in_the_end():
    asked = []

    def answer(request: BaseHTTPRequestHandler, body: bytes) -> None:
        asked.append(body)
        saying(503)(request, body)

    with server(answer) as url:
        assert poster(url, retries=AT_ONCE)(b"").status == 503
    assert len(asked) == 5


def test_nobody_is_followed_elsewhere():
    with (
        server(saying(200, b"elsewhere")) as other,
        server(saying(302, Location=f"{other}/add-checkpoint")) as url,
    ):
        assert poster(url)(b"").status == 302


def test_who_is_not_there_is_unreachable():
    with server(saying(200)) as url:
        pass
    with pytest.raises(Unreachable, match="Connection refused"):
        poster(url, retries=AT_ONCE)(b"")


def test_who_hangs_up_is_unreachable():
    def answer(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.connection.close()

    with server(answer) as url, pytest.raises(Unreachable):
        poster(url, retries=AT_ONCE)(b"")


def test_who_sends_a_byte_now_and_then_does_not_hold_us_up():
    done = threading.Event()

    def answer(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(200)
        request.end_headers()
        while not done.wait(0.05):
            request.wfile.write(b"x")
            request.wfile.flush()

    began = time.monotonic()
    with server(answer) as url:
        try:
            with pytest.raises(Unreachable, match=r"within 0\.3 seconds"):
                poster(url, patience_seconds=0.3)(b"")
        finally:
            done.set()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url", ["", "ftp://cosigner.example", "file:///etc/passwd", "cosigner.example", "http://"]
)
def test_what_is_no_url_of_the_web_is_unreachable(url):
    with pytest.raises(Unreachable):
        poster(url, retries=AT_ONCE)(b"")
