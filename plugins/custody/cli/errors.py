"""What ends a command without an answer."""

from __future__ import annotations


class CannotCheck(Exception):
    """Nothing can be said; the message names what is in the way, and what to do about it."""
