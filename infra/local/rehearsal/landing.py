"""Land the sample days in bronze, each file as the uploader whose name its name begins with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from custody.core.datasets.catalog import SUFFIX
from custody.core.datasets.contracts import contract_of
from rehearsal.machine import REPOSITORY
from rehearsal.platform import Platform

DATASET = "customers"
BESIDE = "orders"
"""The other dataset that has a sample."""
SAMPLES = REPOSITORY / "data"
SAMPLE = SAMPLES / DATASET


@dataclass(frozen=True)
class Landed:
    """One object version in bronze and who put it there (a local principal's name)."""

    principal: str
    key: str
    version_id: str
    size_bytes: int


def sample_days(dataset: str = DATASET) -> list[date]:
    """The days of a dataset's committed sample data, oldest first."""
    return sorted(
        datetime.strptime(folder.name, "dt=%Y-%m-%d").replace(tzinfo=UTC).date()
        for folder in (SAMPLES / dataset).glob("dt=*")
    )


def sample_files(day: date, dataset: str = DATASET) -> list[Path]:
    return sorted((SAMPLES / dataset / f"dt={day}").iterdir())


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


def land_sample(platform: Platform, days: Iterable[date], dataset: str = DATASET) -> list[Landed]:
    """Upload the sample files of `days`, each as the uploader in its name: `web-shop-06.jsonl`."""
    file = REPOSITORY / "include" / "contracts" / f"{dataset}{SUFFIX}"
    uploaders = contract_of(file.read_text("utf-8"), file.name).about.uploaders

    def principal(name: str) -> str:
        return next(one.name for one in uploaders if name.startswith(one.name))

    return [
        land(platform, principal(file.name), day, file.name, file.read_bytes(), dataset)
        for day in days
        for file in sample_files(day, dataset)
    ]
