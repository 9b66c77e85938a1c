"""The one limit of all waiting in tests."""

from typing import Final

PATIENCE_SECONDS: Final = 900
"""How long a test waits at most for a process, an answer or a condition.

It is there to end a hang, not to measure speed: the machine may be busy with other things.
"""
