"""The keys of CloudTrail's log files and digests, and what they say.

Formats from "Finding your CloudTrail log files" and "CloudTrail digest file structure" in the AWS
CloudTrail User Guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

_STAMP: Final = "%Y%m%dT%H%M%SZ"
BACKFILL_SUFFIX: Final = "_backfill"

_CLOUDTRAIL_BEGAN: Final = datetime(2013, 11, 1, tzinfo=UTC)
"""No name is older; and arithmetic with the year 1 fails."""


@dataclass(frozen=True)
class DigestName:
    """What the name of a digest says: the end of its period, and which of two chains it is in."""

    key: str
    end: datetime
    backfill: bool


@dataclass(frozen=True)
class TrailLayout:
    """One trail's files of one account and region.

    `prefix` is the bucket's key prefix without a slash at its end, `organization_id` is set for
    organization trails only. `region` is the one whose events are logged, `home_region` the one
    the trail was made in.
    """

    bucket: str
    account_id: str
    region: str
    trail: str
    home_region: str
    prefix: str = ""
    organization_id: str = ""

    def in_region(self, region: str) -> TrailLayout:
        """The same trail's files of another region."""
        return replace(self, region=region)

    @property
    def is_home(self) -> bool:
        """Whether these are the files of the region the trail was made in."""
        return self.region == self.home_region

    @property
    def logs_root(self) -> str:
        """What the keys of every region's log files begin with; the region's name is next."""
        return f"{self._root}CloudTrail/"

    @property
    def digests_root(self) -> str:
        """What the keys of every region's digests begin with; the region's name is next."""
        return f"{self._root}CloudTrail-Digest/"

    @property
    def log_prefix(self) -> str:
        """What the key of every log file begins with; a slash ends it."""
        return f"{self.logs_root}{self.region}/"

    @property
    def digest_prefix(self) -> str:
        """What the key of every digest begins with; a slash ends it."""
        return f"{self.digests_root}{self.region}/"

    def digest_key(self, end: datetime, *, backfill: bool = False) -> str:
        """The key of the digest whose period ends at `end`."""
        utc = end.astimezone(UTC)
        suffix = BACKFILL_SUFFIX if backfill else ""
        return (
            f"{self.digest_prefix}{utc:%Y/%m/%d}/{self._digest_stem}"
            f"{utc.strftime(_STAMP)}{suffix}.json.gz"
        )

    def digest_name(self, key: str) -> DigestName | None:
        """Read the key of a digest of this trail; `None` for any other key."""
        match = self._digest_pattern.fullmatch(key)
        end = _instant(match["end"], _STAMP) if match else None
        if match is None or end is None:
            return None
        return DigestName(key, end, match["backfill"] is not None)

    def region_of_digest(self, key: str) -> str | None:
        """The region of a digest of this trail, whichever it is; `None` for any other key."""
        region = key.removeprefix(self.digests_root).partition("/")[0]
        return region if self.in_region(region).digest_name(key) else None

    def is_digest_of_another_trail(self, key: str) -> bool:
        """Whether `key` is that of a digest under the same prefix, but of another trail."""
        own = self._digest_pattern.fullmatch(key)
        return own is None and self._any_digest_pattern.fullmatch(key) is not None

    def log_time(self, key: str) -> datetime | None:
        """When a log file was made, by its key; `None` if CloudTrail gives no such key."""
        match = self._log_pattern.fullmatch(key)
        return _instant(match["made"], "%Y%m%dT%H%MZ") if match else None

    @property
    def _root(self) -> str:
        parts = (self.prefix, "AWSLogs", self.organization_id, self.account_id)
        return "".join(f"{part}/" for part in parts if part)

    @property
    def _digest_stem(self) -> str:
        return f"{self.account_id}_CloudTrail-Digest_{self.region}_{self.trail}_{self.home_region}_"

    @cached_property
    def _digest_pattern(self) -> re.Pattern[str]:
        return self._digests(re.escape(self._digest_stem))

    @cached_property
    def _any_digest_pattern(self) -> re.Pattern[str]:
        stem = re.escape(f"{self.account_id}_CloudTrail-Digest_{self.region}_")
        return self._digests(stem + r"[A-Za-z0-9._-]{3,128}_[a-z0-9-]{1,40}_")

    def _digests(self, stem: str) -> re.Pattern[str]:
        return re.compile(
            rf"{re.escape(self.digest_prefix)}\d{{4}}/\d\d/\d\d/{stem}"
            rf"(?P<end>\d{{8}}T\d{{6}}Z)(?P<backfill>{BACKFILL_SUFFIX})?\.json\.gz",
            re.ASCII,
        )

    @cached_property
    def _log_pattern(self) -> re.Pattern[str]:
        stem = re.escape(f"{self.account_id}_CloudTrail_{self.region}_")
        return re.compile(
            rf"{re.escape(self.log_prefix)}\d{{4}}/\d\d/\d\d/{stem}"
            r"(?P<made>\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz",
            re.ASCII,
        )


def _instant(text: str, form: str) -> datetime | None:
    try:
        instant = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return instant if instant >= _CLOUDTRAIL_BEGAN else None
