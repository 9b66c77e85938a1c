"""A closed world: exactly these DAGs, exactly these tasks, each fit to be operated."""

import ast
import copy
import inspect
import re
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers import amazon
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import CronDataIntervalTimetable, CronPartitionTimetable, TriggerRule
from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowSkipException, ParamValidationError
from tests.support.contracts import deployed_contracts

from custody.core.datasets.tables import gold_tables, tables
from custody.tasks.defaults import DEFAULT_ARGS, Tag

REPOSITORY = Path(__file__).parents[2]
GOLD = "gold_customers_by_country_month"

DEAD_LETTERS = {"dead_letters"}
PAGING = {"pages", "report_success"}
ENDING = {"run_ended", "succeeded"}


def medallion(*golds, is_judged=True):
    """The tasks of a dataset that has these gold tables, and rules for a day (`is_judged`)."""
    return {
        "wait_for_landing",
        "custody_gate",
        "bronze_to_silver",
        *(f"{gold}.silver_to_gold" for gold in golds),
        "publish",
        "read_file_accounts",
        "report_files",
        *({"report_quality"} if is_judged else ()),
    }


CONTRACTS = {f"medallion_{contract.dataset}": contract for contract in deployed_contracts()}
# Whoever adds a dataset changes no test: what its contract says is what it has.
TASKS = {
    dag_id: medallion(
        *(table.name for table in gold_tables(contract)),
        is_judged=any(table.rules for table in tables(contract)),
    )
    for dag_id, contract in CONTRACTS.items()
} | {
    "custody_audit": {"window", "audit", "publish_audit", "remind", "expire"} | PAGING | ENDING,
    "medallion_customers": medallion(GOLD),
    "medallion_orders": medallion("gold_orders_by_status", "gold_orders_by_product"),
    "medallion_sensors": medallion("gold_temperatures_by_sensor"),
    "provenance_ledger": {
        "make_tables",
        "create_view",
        "follow_publications",
        "late_files",
        "rebuild_day",
    },
    "provenance_reconcile": {"window", "classify", "publish_hours"}
    | PAGING
    | ENDING
    | DEAD_LETTERS,
}

# Each waits for files, runs a job for silver and one for each gold table, and queries.
OF_MEDALLIONS = sum(
    3 + sum(task.endswith(".silver_to_gold") for task in tasks)
    for dag_id, tasks in TASKS.items()
    if dag_id.startswith("medallion_")
)

OF_A_DAY = {"dt", "record_minutes", "rollback_to", "reason"}
PARAMS = dict.fromkeys(CONTRACTS, OF_A_DAY) | {
    "custody_audit": {"sample_days", "days", "grace_minutes"},
    "provenance_ledger": set(),
    "provenance_reconcile": {
        "window_start",
        "window_end",
        "grace_minutes",
        "delivery_hours",
        "lookback_hours",
    },
}

ENDS = {
    "report_success": {"succeeded", "run_ended"},
    "succeeded": set(),
    "run_ended": set(),
}
"""The tasks behind the success of a DAG that pages, and what each is followed by."""

PAGERS = [dag_id for dag_id, tasks in TASKS.items() if tasks >= PAGING]

WAITING_ON_AWS = (AthenaOperator, GlueJobOperator, S3KeySensor)
# Definitions, and reads of a day's few rows: over before they would be deferred.
SHORT = {"create_view", "read_file_accounts"}


def all_tasks(bag):
    return [task for dag in bag.dags.values() for task in dag.tasks]


def test_bag_holds_exactly_these_dags_and_tasks(bag):
    assert bag.import_errors == {}
    assert bag.captured_warnings == {}
    assert {dag_id: set(dag.task_ids) for dag_id, dag in bag.dags.items()} == TASKS


def file_of(dag_id):
    """The file that makes a DAG: one of its name, and one for those of all datasets."""
    return "medallion" if dag_id.startswith("medallion_") else dag_id


def test_each_dag_is_of_the_file_named_after_it(bag):
    files = {path.stem for path in (REPOSITORY / "dags").glob("*.py")}
    assert files == {file_of(dag_id) for dag_id in TASKS}
    for dag_id, dag in bag.dags.items():
        assert Path(dag.fileloc).stem == file_of(dag_id)


def test_every_contract_has_its_dag(bag):
    contracts = {path.name for path in (REPOSITORY / "include" / "contracts").glob("*")}
    dags = {dag_id for dag_id in bag.dags if file_of(dag_id) == "medallion"}
    assert {f"{dag_id.removeprefix('medallion_')}.odcs.yaml" for dag_id in dags} == contracts


def test_no_argument_of_a_task_has_a_name_that_airflow_keeps_for_itself(bag):
    """It refuses such a task when the task runs, and not before."""
    given = {
        (task.task_id, name)
        for task in all_tasks(bag)
        if hasattr(task, "python_callable")
        for name in list(inspect.signature(task.python_callable).parameters)[: len(task.op_args)]
    }
    assert len(given) > len(TASKS)
    assert {each for each in given if each[1] in Context.__annotations__} == set()


@pytest.mark.parametrize("dag_id", TASKS)
def test_the_docstring_is_the_manual(bag, dag_id):
    doc = bag.dags[dag_id].doc_md
    assert doc
    assert "**On failure:**" in doc
    assert "**Runbook:**" in doc


def test_a_task_that_fails_ends_its_log_with_what_to_do(bag, caplog):
    for task in all_tasks(bag):
        caplog.clear()
        for callback in task.on_failure_callback:
            callback({"dag": bag.dags[task.dag_id], "task": task})
        (said,) = caplog.messages
        assert said.startswith(f"what to do about {task.task_id}: clear the failed task")
        assert "**Runbook:** docs/" in said


@pytest.mark.parametrize("dag_id", TASKS)
def test_the_manual_leads_to_runbooks_that_are_there(bag, dag_id):
    runbooks = re.findall(r"docs/[\w./-]*", bag.dags[dag_id].doc_md.partition("**Runbook:**")[2])
    assert any(place.startswith("docs/runbooks/") for place in runbooks)
    assert [place for place in runbooks if not (REPOSITORY / place).exists()] == []


@pytest.mark.parametrize("dag_id", TASKS)
def test_runs_are_of_an_interval_with_a_length_or_of_a_day(bag, dag_id):
    # A plain cron string, or CronTriggerTimetable, gives intervals of no length.
    of_a_day = file_of(dag_id) == "medallion"
    kind = CronPartitionTimetable if of_a_day else CronDataIntervalTimetable
    assert isinstance(bag.dags[dag_id].timetable, kind)


@pytest.mark.parametrize("dag_id", TASKS)
def test_tags_say_how_urgent_a_failure_is(bag, dag_id):
    tags = bag.dags[dag_id].tags
    own = {dag_id: set(contract.about.tags) for dag_id, contract in CONTRACTS.items()}
    assert own["medallion_customers"] == {"customers", "pii"}
    assert tags - set(Tag) == own.get(dag_id, set())
    assert len(tags & {Tag.TIER_1, Tag.TIER_2}) == 1


@pytest.mark.parametrize("dag_id", TASKS)
def test_params_are_typed_and_explained(bag, dag_id):
    params = bag.dags[dag_id].params
    assert set(params) == PARAMS[dag_id]
    for name in params:
        param = params.get_param(name)
        assert param.schema["type"], name
        assert param.schema["title"], name
        assert param.description, name
        param.resolve()  # the default is valid


WRONG = {
    ("provenance_reconcile", "window_start"): (
        "yesterday",
        "2026-11-01",
        "2026-11-01T06:00:00",  # of which time zone?
        "2026-11-01T06:30:00Z",
        "2026-11-01T24:00:00Z",
        "2026-11-01T06:00:00.001Z",
        "",
    ),
    ("provenance_reconcile", "grace_minutes"): (-1, 1441, "30"),
    ("provenance_reconcile", "delivery_hours"): (-1, 49, 1.5),
    ("provenance_reconcile", "lookback_hours"): (-1, 73),
    ("custody_audit", "sample_days"): (0, 91),
    ("custody_audit", "days"): (0, 91),
    ("custody_audit", "grace_minutes"): (-1, 10081),
    ("medallion_customers", "dt"): ("20261101", "2026-11-1", "2026-02-30", "1 November", ""),
    ("medallion_customers", "record_minutes"): (-1, 51),
    ("medallion_customers", "rollback_to"): ("", "jr 1", "a/b", "{{ 1 }}", 1, "x" * 256),
    ("medallion_customers", "reason"): ("", 1, "x" * 501),
}
WRONG["provenance_reconcile", "window_end"] = WRONG["provenance_reconcile", "window_start"]


@pytest.mark.parametrize(
    ("dag_id", "name", "value"), [(*param, value) for param in WRONG for value in WRONG[param]]
)
def test_what_a_schema_can_tell_is_refused_before_anything_runs(bag, dag_id, name, value):
    # By the form, the API and a backfill alike.
    with pytest.raises(ParamValidationError):
        bag.dags[dag_id].params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "2026-11-01T06:00:00.000Z",  # as the form has it
        "2026-11-01T06:00:00+00:00",
        "2026-11-01T08:00+02:00",
    ],
)
@pytest.mark.parametrize("name", ["window_start", "window_end"])
def test_a_whole_hour_is_taken(bag, name, value):
    param = copy.deepcopy(bag.dags["provenance_reconcile"].params.get_param(name))
    assert param.resolve(value) == value


@pytest.mark.parametrize("dag_id", TASKS)
def test_nothing_runs_unbounded(bag, dag_id):
    dag = bag.dags[dag_id]
    assert dag.catchup is False
    assert dag.max_active_runs >= 1


def test_every_task_keeps_the_shared_defaults(bag):
    owners = {dag_id: contract.about.owner for dag_id, contract in CONTRACTS.items()}
    for task in all_tasks(bag):
        assert task.owner == owners.get(task.dag_id, DEFAULT_ARGS["owner"]), task.task_id
        assert task.retries == DEFAULT_ARGS["retries"], task.task_id
        assert task.retry_delay == timedelta(seconds=10), task.task_id
        assert task.retry_exponential_backoff == 2, task.task_id


def test_no_operator_names_a_connection(bag):
    """They are whoever the worker is to AWS; a name would be looked for in vain, with a warning."""
    on_aws = [task for task in all_tasks(bag) if isinstance(task, AwsBaseOperator | AwsBaseSensor)]
    assert len(on_aws) == 4 + OF_MEDALLIONS
    for task in on_aws:
        assert task.aws_conn_id is None, task.task_id


def test_no_hook_is_made_but_by_the_shared_client():
    files = [*REPOSITORY.glob("dags/*.py"), *REPOSITORY.glob("plugins/custody/**/*.py")]
    hooks = {
        (path.stem, node.func.id)
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.endswith("Hook")
    }
    assert hooks == {("defaults", "AwsBaseHook")}


def test_every_long_wait_on_aws_is_deferred_and_every_wait_ends(bag):
    waiting = [task for task in all_tasks(bag) if isinstance(task, WAITING_ON_AWS)]
    assert len(waiting) == 4 + OF_MEDALLIONS
    for task in waiting:
        assert task.deferrable is (task.task_id not in SHORT), task.task_id
        if isinstance(task, S3KeySensor):
            seconds = task.timeout
        elif isinstance(task, GlueJobOperator):
            seconds = task.waiter_delay * task.waiter_max_attempts
        else:
            seconds = task.sleep_time * task.max_polling_attempts
        assert 600 <= seconds <= 2 * 60 * 60, task.task_id


def test_the_gate_frees_its_worker_and_ends(bag):
    gate = bag.dags["medallion_customers"].get_task("custody_gate")
    assert (gate.mode, gate.timeout) == ("reschedule", 3600)


def test_the_flow_of_a_dataset_is_seen_among_the_assets(bag):
    flow = {
        task.task_id: ([a.name for a in task.inlets], [a.name for a in task.outlets])
        for task in bag.dags["medallion_customers"].tasks
        if task.inlets or task.outlets
    }
    assert flow == {
        "custody_gate": ([], ["bronze_customers"]),
        "bronze_to_silver": (["bronze_customers"], []),
        f"{GOLD}.silver_to_gold": (["silver_customers"], []),
        "publish": ([], ["silver_customers", GOLD]),
    }


@pytest.mark.parametrize("dag_id", PAGERS)
def test_only_one_run_at_a_time_may_page(bag, dag_id):
    assert bag.dags[dag_id].max_active_runs == 1


def test_tasks_run_in_this_order(bag):
    def after(dag_id):
        return {task.task_id: set(task.downstream_task_ids) for task in bag.dags[dag_id].tasks}

    assert after("medallion_customers") == {
        "wait_for_landing": {"custody_gate"},
        "custody_gate": {"bronze_to_silver"},
        "bronze_to_silver": {f"{GOLD}.silver_to_gold", "publish", "report_quality"},
        f"{GOLD}.silver_to_gold": {"publish", "report_quality"},
        "report_quality": set(),
        "publish": {"read_file_accounts"},
        "read_file_accounts": {"report_files"},
        "report_files": set(),
    }
    assert after("provenance_ledger") == {
        "make_tables": {"create_view", "follow_publications"},
        "create_view": set(),
        "follow_publications": set(),
        "late_files": {"rebuild_day"},
        "rebuild_day": set(),
    }
    assert after("custody_audit") == {
        "window": {"audit"},
        # Pages wait for no table.
        "audit": {"publish_audit", "pages", "remind", "expire"},
        "publish_audit": {"report_success"},
        "remind": {"report_success"},
        "expire": {"report_success"},
        "pages": {"report_success"},
        **ENDS,
    }
    assert after("provenance_reconcile") == {
        # Waits for nothing: also while nothing can be judged, people hear of it.
        "dead_letters": set(),
        "window": {"classify"},
        "classify": {"publish_hours", "pages"},
        "publish_hours": {"report_success"},
        "pages": {"report_success"},
        **ENDS,
    }


def test_a_run_that_rolls_back_skips_what_builds_and_publishes(bag):
    """What builds is skipped from its first task on; only the publication does without it. What is
    told of the jobs, whatever became of them, is skipped by itself."""
    dag = bag.dags["medallion_customers"]
    first = dag.get_task("wait_for_landing")
    hooks = {t.task_id: t._pre_execute_hook for t in dag.tasks if t._pre_execute_hook}
    assert hooks.keys() == {first.task_id, "report_quality"}
    (skip,) = set(hooks.values())
    assert dag.roots == [first]
    skip({"params": {"rollback_to": None}})
    with pytest.raises(AirflowSkipException, match="run jr_1 is shown again"):
        skip({"params": {"rollback_to": "jr_1"}})
    rules = {task.task_id: task.trigger_rule for task in dag.tasks}
    assert rules.pop("publish") == TriggerRule.NONE_FAILED
    assert rules.pop("report_quality") == TriggerRule.ALL_DONE
    assert set(rules.values()) == {TriggerRule.ALL_SUCCESS}


@pytest.mark.parametrize("dag_id", PAGERS)
def test_a_run_that_fails_pages_and_stays_failed(bag, dag_id):
    """Whatever task it was: each that judges or tells is before the one that counts success."""
    dag = bag.dags[dag_id]
    counts = dag.get_task("report_success")
    before = counts.get_flat_relative_ids(upstream=True)
    assert before == set(dag.task_ids) - {"report_success"} - ENDING - DEAD_LETTERS
    # Fails with any of them, where a page that goes out well would not.
    assert dag.get_task("succeeded").trigger_rule == TriggerRule.ALL_SUCCESS
    assert dag.get_task("run_ended").trigger_rule == TriggerRule.ALL_DONE
    assert not dag.get_task("succeeded").downstream_task_ids


@pytest.mark.parametrize("dag_id", TASKS)
def test_a_dag_file_reads_no_variable_and_is_wiring(dag_id):
    source = (REPOSITORY / "dags" / f"{file_of(dag_id)}.py").read_text(encoding="utf-8")
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert names.isdisjoint({"Variable", "Connection", "boto3", "open"})
    assert len(source.splitlines()) <= 160


def test_an_old_provider_is_refused_by_every_dag_in_one_line(monkeypatch):
    monkeypatch.setattr(amazon, "__version__", "9.34.0")
    for name in [name for name in sys.modules if name.startswith("custody.tasks")]:
        monkeypatch.delitem(sys.modules, name)
    bag = DagBag(dag_folder=REPOSITORY / "dags")
    assert bag.dags == {}
    last_lines = {
        Path(file).stem: said.splitlines()[-1] for file, said in bag.import_errors.items()
    }
    assert last_lines.keys() == {file_of(dag_id) for dag_id in TASKS}
    assert all("OldProvider: the Amazon provider is 9.34.0" in line for line in last_lines.values())
