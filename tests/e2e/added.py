"""A dataset that the repository does not have: a contract and its queries, and nothing else."""

import shutil
from datetime import date
from pathlib import Path
from typing import Final

from accounting import Account
from tests.support import dataset_cases

from custody.core.datasets.contracts import contract_of
from custody.core.datasets.tables import tables
from custody.core.datasets.uploads import folder_of
from custody.core.publications.model import folder_of as publications
from rehearsal.landing import Landed, land
from rehearsal.machine import REPOSITORY
from rehearsal.observing import query
from rehearsal.platform import Platform

DATASET: Final = "returns"
MEDALLION: Final = f"medallion_{DATASET}"
_CASE: Final = dataset_cases.FOLDER / DATASET
_CONTRACT: Final = _CASE / f"{DATASET}.odcs.yaml"
CONTRACT: Final = contract_of(_CONTRACT.read_text("utf-8"), _CONTRACT.name)
UPLOADER: Final = CONTRACT.about.uploaders[0].name
EXPECTED: Final = dataset_cases.expectation(_CASE)
DAY: Final = date.fromisoformat(EXPECTED["day"])


def repository_with_it(copy: Path) -> Path:
    """Make `copy` what the repository runs and deploys, with the contract and the queries added."""
    if copy.exists():
        shutil.rmtree(copy)
    for folder in ("dags", "include", "infra", "lambda", "plugins"):
        shutil.copytree(REPOSITORY / folder, copy / folder)
    (copy / ".venvs").symlink_to((REPOSITORY / ".venvs").resolve())
    shutil.copy(_CONTRACT, copy / "include" / "contracts")
    for query_file in _CASE.glob("*.sql"):
        shutil.copy(query_file, copy / "include" / "sql" / "gold")
    return copy


def land_it(platform: Platform) -> list[Landed]:
    """The files of the dataset's case, by an uploader whom its contract names."""
    return [
        land(platform, UPLOADER, DAY, name, body, DATASET)
        for name, body in dataset_cases.landing(_CASE)
    ]


def accounts_expected() -> dict[str, Account]:
    return {name: Account(**counts) for name, counts in EXPECTED["files"].items()}


def gold_expected() -> dict[str, list[list[str]]]:
    """The rows of each gold table."""
    return {
        table: sorted([str(value) for value in row] for row in rows)
        for table, rows in EXPECTED["gold"].items()
    }


def gold(platform: Platform) -> dict[str, list[list[str]]]:
    """The rows of each gold table of the dataset's day, as readers see them."""
    return {
        table.name: sorted(
            [str(row[column.name]) for column in table.columns]
            for row in query(
                platform,
                f"SELECT * FROM gold_{table.name} WHERE dt = '{DAY}'",  # noqa: S608
            )
        )
        for table in CONTRACT.gold
    }


def versions(platform: Platform) -> dict[str, set[tuple[str, str]]]:
    """Key and version id of all that there is of the dataset, by the setting of its bucket."""
    places = [("raw_bucket", folder_of(DATASET))]
    places += [("analytics_bucket", publications(DATASET, str(DAY)))]
    places += [(table.bucket, f"{table.folder}/") for table in tables(CONTRACT)]
    found: dict[str, set[tuple[str, str]]] = {}
    paginator = platform.client("s3").get_paginator("list_object_versions")
    for bucket, prefix in places:
        pages = paginator.paginate(Bucket=platform.settings[bucket], Prefix=prefix)
        there = {(v["Key"], v["VersionId"]) for page in pages for v in page.get("Versions", [])}
        assert there, f"nothing under {prefix}"
        found.setdefault(bucket, set()).update(there)
    return found
