"""A link of the chain of runs: what a run states of the hours it judged, as a signed note.

The key that seals signs it (C2SP `signed-note`). Its first line is none that a checkpoint of the
seal has, so that neither can be taken for the other. Links are named by the time of judging, so
that the last is found by listing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from custody.core.formats.s3_fields import instant, object_key
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.ledger.hours.chain import Reached
from custody.core.ledger.hours.windows import Window

CHAIN_PREFIX: Final = "audit/chain/"

MAX_LINK_BYTES: Final = 16 * 1024
_FIRST_LINE: Final = "custody judged hours v1"
_RUN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)


class HoleInTheChain(Exception):
    """A window that would leave hours behind it unjudged; the text says which."""


@dataclass(frozen=True, slots=True)
class Link:
    """What one run judged (`start` to `end`, at `as_of`), how far the runs had come with it, and
    the key of the link it went on from (`previous`; None for the first of all)."""

    run_id: str
    as_of: datetime
    start: datetime
    end: datetime
    reached: Reached
    previous: str | None

    @property
    def key(self) -> str:
        """Where it is kept in the analytics bucket."""
        at = self.as_of.astimezone(UTC)
        return (
            f"{CHAIN_PREFIX}dt={at:%Y-%m-%d}/{at:%H%M%S}{at.microsecond // 1000:03}-{self.run_id}"
        )

    def to_text(self) -> str:
        """The text of the note."""
        document = {
            "run": self.run_id,
            "as_of": format_utc(self.as_of),
            "start": format_utc(self.start),
            "end": format_utc(self.end),
            "judged": format_utc(self.reached.judged),
            "recorded": format_utc(self.reached.recorded),
            "closed": format_utc(self.reached.closed),
            "previous": self.previous,
        }
        return f"{_FIRST_LINE}\n{json.dumps(document, sort_keys=True)}\n"

    @classmethod
    def from_text(cls, text: str) -> Link:
        """Read what `to_text` wrote; raises `MalformedInput` naming the field."""
        first, _, document = text.partition("\n")
        if first != _FIRST_LINE:
            raise MalformedInput("link", f"must begin with {_FIRST_LINE!r}")
        fields = Fields.of(load_json(document, what="link", max_bytes=MAX_LINK_BYTES), "link")
        run_id = fields.text("run")
        if not _RUN_ID.fullmatch(run_id):
            raise MalformedInput("link.run", "is no job run id")
        return cls(
            run_id=run_id,
            as_of=instant(fields, "as_of"),
            start=instant(fields, "start"),
            end=instant(fields, "end"),
            reached=Reached(
                instant(fields, "judged"), instant(fields, "recorded"), instant(fields, "closed")
            ),
            previous=object_key(fields, "previous") if fields.has("previous") else None,
        )


def reached_before(last: Link | None, window: Window) -> Reached:
    """How far the runs had come before one that judges `window`; `last` is the last link.

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


def next_link(last: Link | None, reached: Reached, window: Window, *, run_id: str) -> Link:
    """The link of a run that has judged `window`, behind the `last`, which came to `reached`."""
    return Link(
        run_id=run_id,
        as_of=window.as_of,
        start=window.start,
        end=window.end,
        reached=reached.after(
            window.start,
            window.end,
            as_of=window.as_of,
            grace=window.grace,
            delivery=window.delivery,
        ),
        previous=None if last is None else last.key,
    )
