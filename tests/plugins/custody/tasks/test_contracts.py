"""The contracts beside the DAGs make the DAGs; one that is wrong is told where people look."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.definitions.context import AirflowParsingContext
from tests.dags.conftest import SETTINGS
from tests.support.contracts import deployed_contracts
from tests.support.dag_folder import render_task

from custody.tasks import contracts

REPOSITORY = Path(__file__).parents[4]
RETURNS = REPOSITORY / "tests" / "datasets" / "returns" / "returns.odcs.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of DAGs with what they include and one more contract, and no other file changed."""
    shutil.copytree(REPOSITORY / "include" / "sql", tmp_path / "include" / "sql")
    shutil.copytree(REPOSITORY / "include" / "contracts", tmp_path / "include" / "contracts")
    shutil.copy(RETURNS, tmp_path / "include" / "contracts")
    (tmp_path / "dags").mkdir()
    shutil.copy(REPOSITORY / "dags" / "medallion.py", tmp_path / "dags")
    return tmp_path


def bag_of(folder: Path) -> DagBag:
    return DagBag(dag_folder=folder / "dags", bundle_path=folder / "dags")


def asks_for(monkeypatch: pytest.MonkeyPatch, dag_id: str) -> None:
    context = AirflowParsingContext(dag_id=dag_id, task_id="a_task")
    monkeypatch.setattr(contracts, "get_parsing_context", lambda: context)


def test_another_contract_is_another_dag_with_its_own_manual(folder: Path) -> None:
    bag = bag_of(folder)
    assert bag.import_errors == {}
    deployed = {contract.dataset for contract in deployed_contracts()}
    assert bag.dags.keys() == {f"medallion_{name}" for name in (*deployed, "returns")}
    customers, returns = (bag.dags[f"medallion_{name}"] for name in ("customers", "returns"))
    assert [task.rpartition(".")[2] for task in returns.task_ids] == [
        task.rpartition(".")[2] for task in customers.task_ids
    ]
    gold = "gold_returns_by_status"
    publish = render_task(
        returns, "publish", variables={"custody": SETTINGS}, xcoms={"bronze_to_silver": "jr_1"}
    )
    place, dataset, version, day, run, _, shown = publish.op_args
    published = shown[-1]
    assert (place["database"], dataset, version, day, run) == (
        "the-database",
        "returns",
        "1.0.0",
        "2026-11-01",
        "jr_1",
    )
    assert published["day"] == {
        "table": gold,
        "location": "s3://the-analytics-bucket/gold/returns_by_status/dt=2026-11-01/",
        "gold": "returns_by_status",
    }
    assert published["definition"]["name"] == gold
    assert published["definition"]["location"] == "s3://the-analytics-bucket/gold/returns_by_status"
    assert "customers" not in str([vars(task) for task in returns.tasks])
    assert {task.owner for task in returns.tasks} == {"sales-data"}
    assert "returns" in returns.tags
    assert returns.get_task("wait_for_landing").timeout == 6 * 60 * 60
    manual = str(returns.doc_md)
    for said in (
        "What customers sent back.",
        "`web-shop`: Web shop",
        "`gold_returns_by_status`: One",
    ):
        assert said in manual


def test_a_task_that_starts_reads_its_own_contract_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "include" / "contracts" / RETURNS.name).write_text("no contract", encoding="utf-8")
    asks_for(monkeypatch, "medallion_customers")
    bag = bag_of(folder)
    assert (bag.import_errors, list(bag.dags)) == ({}, ["medallion_customers"])


@pytest.mark.parametrize("dag_id", ["medallion_nothing", "custody_audit", "medallion_../customers"])
def test_no_contract_is_read_for_a_dag_that_has_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, dag_id: str
) -> None:
    asks_for(monkeypatch, dag_id)
    assert contracts.contracts_to_parse(str(folder / "dags" / "medallion.py"), "medallion_") == ()


def test_a_wrong_contract_is_an_import_error_with_file_line_and_field(folder: Path) -> None:
    file = folder / "include" / "contracts" / RETURNS.name
    file.write_text(RETURNS.read_text("utf-8").replace("access: write", "access: all"), "utf-8")
    bag = bag_of(folder)
    (error,) = bag.import_errors.values()
    assert "ContractsRefused: returns.odcs.yaml:128: roles[0].access: a role" in error
    assert bag.dags == {}


def test_the_same_contents_are_parsed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dag_file = str(folder / "dags" / "medallion.py")
    contracts._parsed.cache_clear()
    first = contracts.contracts_of(dag_file)
    assert contracts.contracts_of(dag_file) is first
    file = folder / "include" / "contracts" / RETURNS.name
    file.write_text(RETURNS.read_text("utf-8").replace("1.0.0", "1.0.1"), "utf-8")
    read = {one.dataset: one.version for one in contracts.contracts_of(dag_file)}
    assert read == {one.dataset: one.version for one in first} | {"returns": "1.0.1"}
