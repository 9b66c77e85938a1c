"""Waiting on a condition, with a deadline and a name to show when it passes."""

import time
from collections.abc import Callable


def wait_until(what: str, condition: Callable[[], bool], *, seconds: float) -> None:
    """Call ``condition`` until it holds.

    Raises:
        TimeoutError: it did not hold within ``seconds``; the message names ``what``.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s, but not: {what}")
        time.sleep(0.25)
