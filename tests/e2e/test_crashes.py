"""What is killed, run again and backfilled twice comes to the same, in one long story.

The tests are chapters: each goes on from where the one before it left the platform.
"""

from datetime import date

import pytest
from accounting import totals, visible_runs
from auditor import custody
from crashes import kill_airflow, kill_aws, kill_spark
from listening import listening, spark_listens
from story import DAYS, HOSTILE_DAY, MEDALLION, check_accounts, land_all, reconcile

from rehearsal.landing import Landed
from rehearsal.observing import OnCall, query, wait_settled
from rehearsal.platform import ADMIN, Platform
from rehearsal.runs import backfill_days, backfilled_runs, follow, start_backfill
from rehearsal.waiting import wait_until

pytestmark = pytest.mark.crash
GOLD = "gold_customers_by_country_month.silver_to_gold"
CRASHES = (
    ("bronze_to_silver", kill_spark),
    ("bronze_to_silver", kill_airflow),
    (GOLD, kill_spark),
    (GOLD, kill_aws),
    ("publish", kill_airflow),
)
"""What is killed while some day is at which task."""

# Every task of a run, to be run again without what follows it. Those of one round are of different
# days; the tasks that change no table's rows or partitions share one.
RERUNS = (
    {
        DAYS[0]: ["bronze_to_silver"],
        DAYS[1]: [GOLD],
        DAYS[2]: [
            "wait_for_landing",
            "custody_gate",
            "read_file_accounts",
            "report_files",
            "report_quality",
        ],
    },
    # What was built of gold just now is shown; the first day has silver without its gold now.
    {DAYS[1]: ["publish"]},
)


@pytest.fixture(scope="module")
def landed(platform: Platform) -> list[Landed]:
    return land_all(platform)


@pytest.fixture(scope="module")
def first_backfill(platform: Platform, landed: list[Landed]) -> list[str]:
    """The three days, through crashes of Spark, of Airflow and of AWS at the tasks that write."""
    run_ids = start_backfill(platform, MEDALLION, DAYS[0], DAYS[-1])
    for task_id, crash in CRASHES:
        wait_until(f"{task_id} is at work", lambda: at_work(platform, task_id))  # noqa: B023
        crash(platform)
    follow(platform, MEDALLION, run_ids, say=print)
    return run_ids


def at_work(platform: Platform, task_id: str) -> bool:
    """Whether a task of some day works, in its Spark job if it has one."""
    if task_id != "publish" and not spark_listens(listening(platform)):
        return False
    wanted = (task_id, "running" if task_id == "publish" else "deferred")
    found = platform.airflow.tasks_at_work(MEDALLION)
    return any((task["task_id"], task["state"]) == wanted for task in found)


@pytest.fixture(scope="module")
def first_totals(platform: Platform, first_backfill: list[str]) -> dict[str, dict[str, int]]:
    return totals(platform)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_crashes_lose_no_row(platform: Platform, first_backfill: list[str], day: date) -> None:
    check_accounts(platform, day)


def task_tries(platform: Platform, run_id: str) -> dict[str, int]:
    """How often each task of a run was tried; of a mapped one, its last instance."""
    tasks = platform.airflow.task_instances(MEDALLION, run_id)
    return {task["task_id"]: task["try_number"] for task in tasks}


@pytest.mark.parametrize("reruns", RERUNS, ids=["what builds or looks", "what publishes"])
def test_a_rerun_of_any_task_changes_no_count(
    platform: Platform, first_totals: dict[str, dict[str, int]], reruns: dict[date, list[str]]
) -> None:
    runs = backfilled_runs(platform, MEDALLION)
    before = {day: task_tries(platform, run_id) for day, run_id in runs.items()}
    for day, tasks in reruns.items():
        platform.airflow.clear(MEDALLION, runs[day], tasks)
    follow(platform, MEDALLION, [runs[day] for day in reruns], say=print)
    for day, tasks in reruns.items():
        after = task_tries(platform, runs[day])
        assert {task for task in after if after[task] > before[day][task]} == set(tasks)
    assert totals(platform) == first_totals
    copies = {
        (table, day): len(seen)
        for table, by_day in visible_runs(platform).items()
        for day, seen in by_day.items()
    }
    assert set(copies.values()) == {1}, copies


def test_no_task_is_left_out_of_the_reruns(platform: Platform, first_backfill: list[str]) -> None:
    rerun = {task for reruns in RERUNS for tasks in reruns.values() for task in tasks}
    assert rerun == set(task_tries(platform, first_backfill[0]))


def test_a_second_backfill_changes_no_count_and_leaves_one_visible_copy(
    platform: Platform, first_totals: dict[str, dict[str, int]]
) -> None:
    """Of the day with the broken files, which has the most to lose."""
    before = visible_runs(platform)
    backfill_days(platform, MEDALLION, HOSTILE_DAY, HOSTILE_DAY, say=print, again=True)
    assert totals(platform) == first_totals
    after = visible_runs(platform)
    for table, by_day in after.items():
        for day, runs in by_day.items():
            assert len(runs) == 1, f"{table} {day}"
            rebuilt = runs != before[table][day]
            assert rebuilt == (day == str(HOSTILE_DAY)), f"{table} {day}"


def test_a_day_is_rolled_back_and_shows_what_it_showed(
    platform: Platform, first_totals: dict[str, dict[str, int]]
) -> None:
    """Nothing is built, and each table shows the run that it showed before the last backfill."""
    day = str(HOSTILE_DAY)
    now = visible_runs(platform)
    published = query(
        platform,
        "SELECT number, run FROM publications "  # noqa: S608
        f"WHERE dt = '{day}' AND table_name = 'silver_customers' ORDER BY number",
    )
    first, *_, last = (str(row["run"]) for row in published)
    assert {last} == now["silver_customers"][day] != {first}
    asked = ("customers", day, "--to", first, "--reason", "the test asks")
    run_id = str(custody(platform, "rollback", *asked, who=ADMIN)[-1]["airflow_run"])
    states = {
        task["task_id"]: task["state"]
        for task in platform.airflow.task_instances(MEDALLION, run_id)
    }
    done = {"publish", "read_file_accounts", "report_files"}
    assert states == {task: "success" if task in done else "skipped" for task in states}
    after = visible_runs(platform)
    assert after["silver_customers"][day] == {first}
    assert len(after["gold_customers_by_country_month"][day]) == 1
    assert (
        after["gold_customers_by_country_month"][day] != now["gold_customers_by_country_month"][day]
    )
    assert totals(platform) == first_totals


def test_none_of_it_is_paged(platform: Platform, on_call: OnCall, landed: list[Landed]) -> None:
    wait_settled(platform, bronze=len(landed))
    assert reconcile(platform, on_call) == []
