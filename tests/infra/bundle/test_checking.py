"""What is wrong with a bundle is said before MWAA takes it, which would not say it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from infra.build import REPOSITORY
from infra.bundle.checking import faults
from infra.bundle.contents import contents, packages_of
from tests.support import broken_bundles as broken
from tests.support.broken_bundles import Files


@pytest.fixture(scope="module")
def bundle() -> Files:
    return contents(REPOSITORY, packages_of(REPOSITORY), {})


def test_the_projects_own_bundle_has_no_fault(bundle: Files) -> None:
    assert faults(bundle) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (broken.without_sql, "dags/include/sql/provenance/provenance_ledger.sql is missing"),
        (
            broken.without_one_template,
            "dags/include/sql/medallion/read_file_accounts.sql is missing",
        ),
        (broken.without_constraint_line, "requirements.txt must begin with --constraint"),
        (broken.without_constraints, "dags/constraints.txt is missing"),
        (broken.with_the_images_provider, "needs apache-airflow-providers-amazon 9.35 or later"),
        (
            broken.with_the_images_provider,
            "amazon==9.39.0, not 9.34.0",
        ),
        (broken.without_aiobotocore, "must name apache-airflow-providers-amazon[aiobotocore]"),
        (broken.with_the_folder_in_the_archive, "plugins.zip has no custody/__init__.py"),
        (broken.with_the_folder_in_the_archive, "plugins.zip has no .airflowignore"),
        (broken.with_the_folder_in_the_archive, "plugins.zip has no custody_console.py"),
        (broken.without_the_wheels, "no wheel of apache-airflow-providers-common-compat==1.23.0"),
        (broken.without_hashes, "names no hash of apache-airflow-providers-amazon"),
    ],
)
def test_a_broken_bundle_is_refused(
    bundle: Files, change: Callable[[Files], Files], said: str
) -> None:
    assert any(said in fault for fault in faults(change(bundle)))
