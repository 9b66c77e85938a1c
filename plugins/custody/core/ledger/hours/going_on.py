"""How a run goes on from the one before it, so that no hour is left out."""

from __future__ import annotations

from custody.core.formats.timestamps import format_utc
from custody.core.ledger.hours.windows import Window
from custody.core.runs.chain import Link, Reached


class HoleInTheChain(Exception):
    """A window that would leave hours behind it unjudged; the text says which."""


def reached_before(last: Link | None, window: Window) -> Reached:
    """How far the runs had come before one that judges `window`; `last` is the link of the last.

    Raises `HoleInTheChain` for a window behind hours that nobody has judged: they come first.
    """
    if last is None:
        return Reached.nothing(window.start)
    if window.start > last.reached.judged:
        raise HoleInTheChain(
            f"no run has judged the hours from {format_utc(last.reached.judged)} to "
            f"{format_utc(window.start)}: run without a window, which judges what is owed"
        )
    return last.reached


def next_link(previous: str | None, reached: Reached, window: Window) -> Link:
    """The link of a run that has judged `window`, and went on from the run whose statement has the
    key `previous`, which had `reached` so far."""
    return Link(
        reached=reached.after(
            window.start,
            window.end,
            as_of=window.as_of,
            grace=window.grace,
        ),
        previous=previous,
    )
