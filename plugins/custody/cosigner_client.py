"""Posting to cosigners outside, over HTTP.

What is posted and what the answer means is in `custody.core.tlog.witness_protocol`. A cosigner is
somebody else's machine: its answer is bounded in size and time, and leads nowhere else.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

import urllib3

from custody.core.tlog.witness_protocol import MAX_ANSWER_BYTES, PATH, Post, Reply, Unreachable

PATIENCE_SECONDS: Final = 60.0
"""For one answer, with all that is tried for it: one who sends a byte now and then ends, too. A
cosigner is asked three times at most, and then the time it signed must not be later than now."""

_TIMEOUT: Final = urllib3.Timeout(connect=10, read=30)
RETRIES: Final = urllib3.Retry(
    total=4,
    backoff_factor=1,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,  # asked twice it signs twice, which does no harm
    redirect=False,
    raise_on_status=False,
    respect_retry_after_header=False,  # nobody outside says how long an audit takes
)
"""Some fifteen seconds of waiting, enough for a restart."""

_SCHEMES: Final = ("https://", "http://")


def poster(
    url: str, *, retries: urllib3.Retry = RETRIES, patience_seconds: float = PATIENCE_SECONDS
) -> Post:
    """What posts to the cosigner whose submission prefix is `url`."""

    def post(body: bytes) -> Reply:
        if not url.startswith(_SCHEMES):
            raise Unreachable(f"{url[:80]!r} is no URL of the web")
        answered = SimpleQueue[Reply | Unreachable]()

        def ask() -> None:
            try:
                answered.put(_ask(url.removesuffix("/") + PATH, body, retries))
            except Unreachable as error:
                answered.put(error)

        # Not waited for at the end of the program, as an executor's thread would be.
        Thread(target=ask, daemon=True).start()
        try:
            answer = answered.get(timeout=patience_seconds)
        except Empty:
            raise Unreachable(f"no whole answer within {patience_seconds:g} seconds") from None
        if isinstance(answer, Unreachable):
            raise answer
        return answer

    return post


def _ask(url: str, body: bytes, retries: urllib3.Retry) -> Reply:
    try:
        with urllib3.PoolManager(timeout=_TIMEOUT, retries=retries) as pool:
            response = pool.request(
                "POST",
                url,
                body=body,
                headers={"Content-Type": "text/plain"},
                preload_content=False,
                decode_content=False,
            )
            with response:
                content = response.read(MAX_ANSWER_BYTES)
    except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error
    return Reply(response.status, response.headers.get("Content-Type", ""), content)
