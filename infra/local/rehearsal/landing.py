"""Land the sample days in bronze, each file as the principal its name tells."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from rehearsal.machine import REPOSITORY
from rehearsal.platform import Platform

DATASET = "customers"
SAMPLE = REPOSITORY / "data" / DATASET


@dataclass(frozen=True)
class Landed:
    """One object version in bronze and who put it there (a local principal's name)."""

    principal: str
    key: str
    version_id: str
    size_bytes: int


def sample_days() -> list[date]:
    """The days of the committed sample data, oldest first."""
    return sorted(
        datetime.strptime(folder.name, "dt=%Y-%m-%d").replace(tzinfo=UTC).date()
        for folder in SAMPLE.glob("dt=*")
    )


def sample_files(day: date) -> list[Path]:
    return sorted((SAMPLE / f"dt={day}").glob("*.csv"))


def land(
    platform: Platform,
    principal: str,
    day: date,
    name: str,
    body: bytes,
    dataset: str = DATASET,
) -> Landed:
    """Upload one file of a dataset to bronze as `principal`."""
    key = f"incoming/{dataset}/dt={day}/{name}"
    response = platform.client("s3", principal).put_object(
        Bucket=platform.settings["raw_bucket"], Key=key, Body=body
    )
    return Landed(principal, key, response["VersionId"], len(body))


def land_sample(platform: Platform, days: Iterable[date]) -> list[Landed]:
    """Upload the sample files of `days`; `<principal>.csv` is uploaded by that principal."""
    return [
        land(platform, file.stem, day, file.name, file.read_bytes())
        for day in days
        for file in sample_files(day)
    ]
