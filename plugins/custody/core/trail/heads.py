"""The heads of a trail: of each region the digest up to which its files are proven.

JSON: `version` (2); `heads`, a list of heads; `awaited`, for each region that is enabled and has no
digest yet, since when (UTC); `anew`, the regions to be proven from their beginning the next time.
Version 1 is one head alone, of the one region that trails had then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from custody.core.formats.s3_fields import instant
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import Head

_VERSION: Final = 2
_MAX_BYTES: Final = 1024 * 1024
_MAX_REGIONS: Final = 1000


@dataclass(frozen=True)
class Heads:
    """What is remembered of a trail: heads by region, since when regions are awaited, and which are
    to be proven `anew` from their beginning."""

    by_region: Mapping[str, Head] = field(default_factory=dict)
    awaited: Mapping[str, datetime] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()

    def to_json(self) -> str:
        """One line of JSON, the same for the same heads."""
        document = {
            "version": _VERSION,
            "heads": [head.document() for _, head in sorted(self.by_region.items())],
            "awaited": {region: format_utc(since) for region, since in self.awaited.items()},
            "anew": sorted(self.anew),
        }
        return json.dumps(document, sort_keys=True)

    @classmethod
    def from_json(cls, text: bytes | str, layout: TrailLayout) -> Heads:
        """Read what `to_json` wrote, or one head alone, of any region of the trail of `layout`.

        Raises `MalformedInput` naming the field, also for a head of another trail.
        """
        fields = Fields.of(load_json(text, what="heads", max_bytes=_MAX_BYTES), "")
        if fields.count("version") == 1:
            return cls(_by_region([Head.from_json(text)], layout))
        if fields.count("version") != _VERSION:
            raise MalformedInput("version", f"must be 1 or {_VERSION}")
        heads = (
            Head.of(Fields.of(item, f"heads[{number}]"))
            for number, item in enumerate(fields.items("heads", max_items=_MAX_REGIONS))
        )
        awaited = fields.child("awaited")
        return cls(
            _by_region(heads, layout),
            {region: instant(awaited, region) for region in awaited.values},
            frozenset(map(str, fields.items("anew", max_items=_MAX_REGIONS)))
            if fields.has("anew")
            else frozenset(),
        )


def _by_region(heads: Iterator[Head] | list[Head], layout: TrailLayout) -> dict[str, Head]:
    found = {}
    for head in heads:
        region = layout.region_of_digest(head.key)
        if region is None or head.bucket != layout.bucket:
            raise MalformedInput("key", f"s3://{head.bucket}/{head.key}: it is of another trail")
        found[region] = head
    return found
