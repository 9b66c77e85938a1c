"""When a message that the recorder could not deal with is tried again, and when that is noted."""

from __future__ import annotations

from typing import Final

_FIRST: Final = 60
_LONGEST: Final = 900
"""Seconds. With the others in between there are four tries within the first quarter of an hour, and
one in each that follows: most of what fails passes before anybody waits for the record."""


NOTED_AFTER: Final = 4
"""Tries after which the recorder notes that a record is late: seven minutes, well within the grace
of whoever waits for it. Most failures have passed by then, and leave no note."""


def retry_seconds(received: int, *, may_pass: bool) -> int:
    """In how many seconds a message is tried again that was `received` so many times.

    What no waiting mends is tried again at once, so that it is soon where people look.
    """
    if not may_pass:
        return 0
    return min(_FIRST << min(max(received, 1) - 1, 10), _LONGEST)
