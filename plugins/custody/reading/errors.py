"""What ends a reading without an answer."""


class CannotCheck(Exception):
    """Nothing can be said; the message names what is in the way, and what to do about it."""
