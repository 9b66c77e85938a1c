"""The bundle on MWAA, as far as that goes without AWS: installed by pip as MWAA's installer calls
it, over what its image has, laid out as it lays it out, and asked what Airflow finds.

Known beforehand: an environment whose packages could not be installed starts all the same, on its
image's provider.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from infra.bundle.requirements import NO_INDEX_LINES
from tests.mwaa.conftest import install, pip
from tests.mwaa.make_image import own_constraints
from tests.support import broken_bundles as broken
from tests.support.contracts import deployed_contracts
from tests.support.layouts import Layout, example_settings, unfilled

Files = dict[str, bytes]
MEDALLIONS = {f"medallion_{contract.dataset}" for contract in deployed_contracts()}
DAGS = {"custody_audit", *MEDALLIONS, "provenance_ledger", "provenance_reconcile"}
FILES = {"custody_audit", "medallion", "provenance_ledger", "provenance_reconcile"}


@pytest.fixture(scope="module")
def installed(image: Callable[[], Path], laid_out: Callable[..., Layout]) -> tuple[Path, Layout]:
    """A Python and a home with the bundle in them."""
    python, layout = image(), laid_out()
    done = install(python, layout.home / "requirements.txt")
    assert done.returncode == 0, done.stdout + done.stderr
    return python, layout


def versions(python: Path) -> dict[str, str]:
    listed = pip(python, "list", "--format", "json")
    return {each["name"]: each["version"] for each in json.loads(listed.stdout)}


def test_the_wheels_are_installed_without_an_index(
    image: Callable[[], Path], installed: tuple[Path, Layout]
) -> None:
    python, layout = installed
    lines = (layout.home / "requirements.txt").read_text().splitlines()
    assert [line.split()[0] for line in NO_INDEX_LINES] == [line.split()[0] for line in lines[1:3]]
    before, after = versions(image()), versions(python)
    assert {name: version for name, version in after.items() if before.get(name) != version} == {
        "apache-airflow-providers-amazon": "9.39.0",
        "apache-airflow-providers-common-compat": "1.23.0",
        "apache-airflow-providers-openlineage": "2.20.0",
        "openlineage-integration-common": "1.52.0",
        "openlineage-python": "1.52.0",
        "openlineage_sql": "1.52.0",
    }
    assert before.keys() <= after.keys()
    assert before["apache-airflow-providers-amazon"] == "9.34.0"
    assert "aiobotocore" in after
    assert pip(python, "check").returncode == 0


def test_every_dag_loads_and_every_template_is_filled_in(
    installed: tuple[Path, Layout], settings: dict[str, str]
) -> None:
    python, layout = installed
    found = layout.report(python, settings)
    assert found["provider"] == "9.39.0"
    assert found["import_errors"] == {}
    assert found["failures"] == {}
    assert found["searchpaths"] == {dag: [str(layout.dags / "include/sql")] for dag in DAGS}
    assert found["tasks"].keys() == DAGS
    assert unfilled(found) == {}
    # The settings are those of the Parameter Store: nothing else was told this Airflow. The topic
    # is a mapped task's, which has no arguments before there is something to page.
    sent = json.dumps(found["tasks"])
    for name in ("workgroup", "reconcile_job", "analytics_bucket", "raw_bucket"):
        assert example_settings()[name] in sent, name
    assert "custody" in found["plugins"]
    assert found["plugin_errors"] == {}
    assert found["modules_as_plugins"] == []
    assert found["package"] == str(layout.home / "plugins/custody/__init__.py")


def test_on_the_images_own_provider_no_dag_loads_and_each_says_why(
    image: Callable[[], Path], laid_out: Callable[..., Layout], settings: dict[str, str]
) -> None:
    found = laid_out().report(image(), settings)
    assert found["provider"] == "9.34.0"
    assert found["tasks"] == {}
    said = {Path(file).stem: text.splitlines()[-1] for file, text in found["import_errors"].items()}
    assert said.keys() == FILES
    assert all(
        "the Amazon provider is 9.34.0 and must be 9.35 or later" in x for x in said.values()
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (broken.without_sql, "there is no include/sql in"),
        (broken.with_the_folder_in_the_archive, "No module named 'custody'"),
    ],
)
def test_what_is_missing_stops_every_dag(
    installed: tuple[Path, Layout],
    laid_out: Callable[..., Layout],
    settings: dict[str, str],
    change: Callable[[Files], Files],
    said: str,
) -> None:
    found = laid_out(change).report(installed[0], settings)
    assert found["tasks"] == {}
    errors = {Path(file).stem: text for file, text in found["import_errors"].items()}
    assert errors.keys() == FILES
    assert all(said in error for error in errors.values())


def test_a_template_that_is_missing_is_found_by_filling_it_in(
    installed: tuple[Path, Layout], laid_out: Callable[..., Layout], settings: dict[str, str]
) -> None:
    found = laid_out(broken.without_one_template).report(installed[0], settings)
    assert found["import_errors"] == {}
    assert {
        dag: "read_file_accounts.sql" in said for dag, said in found["failures"].items()
    } == dict.fromkeys(MEDALLIONS, True)


def test_without_our_constraints_mwaas_own_refuse_the_provider(
    image: Callable[[], Path], laid_out: Callable[..., Layout], tmp_path: Path
) -> None:
    """MWAA names its own where a file names none; it logs this failure and starts without."""
    forced = tmp_path / "airflow_constraints.txt"
    forced.write_text(own_constraints())
    requirements = laid_out(broken.without_constraint_line).home / "requirements.txt"
    done = install(image(), requirements, "--constraint", forced)
    assert done.returncode != 0
    assert "ResolutionImpossible" in done.stderr


def test_without_its_wheels_nothing_is_installed(
    image: Callable[[], Path], laid_out: Callable[..., Layout]
) -> None:
    layout = laid_out()
    for wheel in (layout.home / "plugins").glob("*common_compat*.whl"):
        wheel.unlink()
    done = install(image(), layout.home / "requirements.txt")
    assert done.returncode != 0
    assert "common-compat==1.23.0" in done.stderr


def test_a_wheel_of_other_bytes_is_not_installed(
    image: Callable[[], Path], laid_out: Callable[..., Layout]
) -> None:
    layout = laid_out()
    (wheel,) = (layout.home / "plugins").glob("*common_compat*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    done = install(image(), layout.home / "requirements.txt")
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
