"""The DAGs load and find their SQL where MWAA and Astro put them, with only plugins on the path."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from infra.build import REPOSITORY
from infra.bundle.contents import contents, packages_of
from tests.support.layouts import Layout, as_on_astro, as_on_mwaa, example_settings, unfilled


def mwaa(home: Path) -> Layout:
    return as_on_mwaa(contents(REPOSITORY, packages_of(REPOSITORY), {}), home)


@pytest.mark.parametrize(
    ("lay_out", "sql"), [(mwaa, "dags/include/sql"), (as_on_astro, "include/sql")]
)
def test_every_template_is_found_and_filled_in(
    tmp_path: Path, lay_out: Callable[[Path], Layout], sql: str
) -> None:
    layout = lay_out(tmp_path)
    found = layout.report(
        Path(sys.executable), {"AIRFLOW_VAR_CUSTODY": json.dumps(example_settings())}
    )
    assert found["import_errors"] == {}
    assert found["failures"] == {}
    dags = {path.stem for path in (REPOSITORY / "dags").glob("*.py")} - {"medallion"}
    contracts = (REPOSITORY / "include" / "contracts").glob("*.odcs.yaml")
    dags |= {f"medallion_{path.name.removesuffix('.odcs.yaml')}" for path in contracts}
    assert found["searchpaths"] == {dag: [str(tmp_path / sql)] for dag in dags}
    assert found["tasks"].keys() == dags
    assert unfilled(found) == {}
    # The package in the folder of plugins is no plugin: no module of it is loaded as one.
    assert "custody" in found["plugins"]
    assert found["plugin_errors"] == {}
    assert found["modules_as_plugins"] == []
    assert found["package"] == str(tmp_path / "plugins" / "custody" / "__init__.py")
