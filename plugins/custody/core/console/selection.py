"""Which findings somebody asked to see: by verdict, layer, hour, state, and words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from custody.core.console.overview import Overview
from custody.core.console.picture import EVERY_LAYER, layer_of
from custody.core.console.standing import Standing


@dataclass(frozen=True, slots=True)
class Selection:
    """What to show; an empty text asks for everything. `hour` is `YYYY-MM-DDTHH`, of which the
    beginning may be given; `state` is `open` or `resolved`; `answer` is what has become of one
    that is open (`Taken`); `words` must all be in the bucket, key, version, principal, address,
    reason or an id, in any case."""

    verdict: str = ""
    layer: str = ""
    hour: str = ""
    state: str = ""
    answer: str = ""
    words: str = ""

    def of(self, overview: Overview) -> list[Standing]:
        """The findings that were asked for, the most urgent first.

        What belongs to another is beside that one; by itself it is there for who asks for its
        verdict, layer, hour, answer or words.
        """
        words = self.words.casefold().split()
        is_broad = not (self.verdict or self.layer or self.hour or self.answer or words)
        beside = overview.belonging if is_broad else frozenset()
        return [
            each
            for each in overview.findings.values()
            if each.finding.fingerprint not in beside
            and self._asks_for(each)
            and (not self.answer or (each.is_open and overview.taken(each).state == self.answer))
            and _has(each, words)
        ]

    def _asks_for(self, each: Standing) -> bool:
        at = f"{each.finding.event_time.astimezone(UTC):%Y-%m-%dT%H}"
        return (
            self.verdict in ("", each.finding.verdict)
            and self.layer in ("", EVERY_LAYER, layer_of(each))
            and at.startswith(self.hour)
            and self.state in ("", "open" if each.is_open else "resolved")
        )


def _has(each: Standing, words: list[str]) -> bool:
    if not words:
        return True
    row = each.finding
    texts = (
        row.fingerprint,
        row.bucket,
        row.object_key,
        row.version_id,
        row.principal_arn,
        row.source_ip,
        row.verdict_reason,
        row.event_name,
        row.event_id,
        row.request_id,
        row.sha256,
    )
    said = "\n".join(filter(None, texts)).casefold()
    return all(word in said for word in words)
