"""How tests wait: on a condition, and with one limit."""

import time
from collections.abc import Callable
from typing import Any, Final

PATIENCE_SECONDS: Final = 900
"""How long a test waits at most for a process, an answer or a condition.

It is there to end a hang, not to measure speed: the machine may be busy with other things.
"""


def wait_for(condition: Callable[[], Any]) -> Any:
    """Call `condition` until its value is true; gives the value.

    Often at first, then less: to ask costs what is waited for the processor it needs. Raises
    AssertionError when the patience is at its end.
    """
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.05
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)
        pause = min(pause * 1.2, 0.5)
    return value
