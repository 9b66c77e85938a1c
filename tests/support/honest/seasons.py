"""What befalls the honest platform over days: outages, and deployments of other keys or people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tests.support.honest.hours import Hour
from tests.support.honest.places import START, UPLOADERS, settings
from tests.support.honest.recorder import KEY_ARNS

from custody.core.formats.timestamps import format_utc
from custody.settings import Settings

HOUR: Final = timedelta(hours=1)
NEVER: Final = 10_000
"""The hour of what does not happen."""


@dataclass(frozen=True)
class Season:
    """What happens in which hour of a history.

    KMS is away from the hour `kms_away`, for `kms_hours`. Deployments replace the recorder's key
    (`replaced`), take the first uploader off the list (`retired`) and put the last one on it
    (`joined`). The key's period ends `named_early` before the recorder has the new one. A digest
    comes `digest_delay` later than it may. In one hour (`backfill`) silver and gold of thirty days
    are built anew.
    """

    kms_away: int = NEVER
    kms_hours: int = 0
    replaced: int = 12
    named_early: timedelta = timedelta(0)
    retired: int = NEVER
    joined: int = 0
    digest_delay: timedelta = timedelta(0)
    backfill: int = NEVER

    @property
    def reached(self) -> datetime:
        """When the recorder signs with the new key: minutes after the deployment begins."""
        return _hour(self.replaced) + timedelta(minutes=5)

    @property
    def deployments(self) -> list[datetime]:
        """When the settings change."""
        changing = (self.replaced, self.retired, self.joined)
        return [_hour(hour) for hour in sorted({*changing} - {0, NEVER})]

    def is_kms_away(self, at: datetime) -> bool:
        """Whether nothing can be signed: neither records nor what a run states."""
        since = _hour(self.kms_away)
        return since <= at < since + self.kms_hours * HOUR

    def recorded(self, written: datetime, delay: timedelta) -> datetime:
        """When the recorder records what was written then, if that takes it `delay`."""
        away, back = _hour(self.kms_away), _hour(self.kms_away + self.kms_hours)
        due = written + delay
        return back + delay if away <= due < back else due

    def of_its_people(self, at: datetime, hour: Hour) -> Hour:
        """The hour, done by somebody who is on the list then; all of it."""
        end = at + HOUR
        if hour.who == 0 and end > _hour(self.retired):
            return replace(hour, who=1)
        if hour.who == len(UPLOADERS) - 1 and at < _hour(self.joined) + HOUR:
            return replace(hour, who=1)
        return hour

    def settings_at(self, now: datetime) -> Settings:
        """The settings that are deployed."""
        first, *others, last = UPLOADERS
        is_retired, has_joined = now >= _hour(self.retired), now >= _hour(self.joined)
        uploaders = [*([] if is_retired else [first]), *others, *([last] if has_joined else [])]
        changes = {"uploader_arns": ",".join(uploaders)}
        if is_retired:
            changes["former_uploaders"] = f"{first}={format_utc(_hour(self.retired))}"
        if now >= _hour(self.replaced):
            until = format_utc(self.reached - self.named_early)
            changes |= {
                "signing_key_arn": KEY_ARNS[1],
                "former_signing_keys": f"{KEY_ARNS[0]}={until}",
            }
        return settings(**changes)


CALM: Final = Season()
"""A key is replaced at noon of the first day, and nothing else befalls the platform."""


def _hour(number: int) -> datetime:
    return START + number * HOUR
