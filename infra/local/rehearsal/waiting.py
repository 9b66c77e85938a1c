"""Waiting on a condition, with a deadline and a name to show when it passes."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 30 * 60
"""What a wait is given: it ends a wait for what will never be, and measures nothing. A machine that
does other work as well may take ten times as long as an idle one."""


def wait_until(
    what: str, condition: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS
) -> None:
    """Call `condition` until it holds: often at first, then every two seconds.

    To ask costs whoever answers, Airflow most of all, what its work then lacks.

    Raises:
        TimeoutError: it did not hold within `seconds`; the message names `what`.
    """
    deadline, pause = time.monotonic() + seconds, 0.25
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s, but not: {what}")
        time.sleep(pause)
        pause = min(pause * 1.25, 2.0)
