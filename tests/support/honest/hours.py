"""What people and jobs do to the platform, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

HOURS_A_DAY: Final = 24


class Activity(StrEnum):
    """What somebody may do to the platform in an hour; the first is the simplest."""

    NOTHING = "nothing"
    UPLOAD = "upload"
    MULTIPART = "multipart"
    MULTIPART_TWICE = "multipart, completed again by a client that missed the answer"
    RESTORE = "an older version copied over the newest"
    THAW = "a version fetched back from an archive"
    REFUSED = "an upload refused, then done"
    READ = "reading"
    SPARK = "a job that writes, renames and clears up, and says so"
    PUBLISH = "Airflow points partitions at new files"
    JUDGE = "the judge writes what it found, seals, and Airflow remembers its pages"
    ROTATE = "an uploader makes himself another key, ends the old one and uploads"
    DEPLOY = "an engineer deploys with CloudFormation, and runs a DAG as Airflow"


@dataclass(frozen=True)
class Hour:
    """One hour: what happens in it, and how its evidence fares.

    `late` are the fields of its event that only an addendum brings; delays are in seconds.
    """

    activity: Activity
    who: int = 1
    key: int = 0
    layer: str = "processed"
    second: int = 0
    event_delay: int = 60
    record_delay: int = 2
    addendum_delay: int = 120
    deliveries: int = 2
    notifications: int = 2
    version_named: bool = True
    late: tuple[str, ...] = ()
    dialect: int = 0


def hours_of(activity: Activity, number: int, **changes: Any) -> list[Hour]:
    """So many hours of one activity, a minute of the hour later each, of another key each."""
    hour = Hour(activity, **changes)
    return [replace(hour, second=60 * n % 3600, key=n % 3) for n in range(number)]


ONE_OF_EACH: Final = [Hour(activity, who=0) for activity in Activity]
"""A day in which everything happens once, and what tells of it comes soon."""

PROMPT: Final = timedelta(minutes=20)
"""No witness of a prompt history needs longer; a log file adds up to five minutes."""

DAYS_LATE: Final = timedelta(days=3)

MAY_BE_LATE: Final = (
    "userAgent",
    "sourceIPAddress",
    "responseElements",
    "additionalEventData",
    "requestID",
)
