"""What the end-to-end stories share: what lands, and how it is accounted for and judged."""

from datetime import UTC, date, datetime

from accounting import Account, expected_accounts, file_accounts
from hostile import broken_files, oddly_named

from rehearsal.landing import Landed, land, land_sample, sample_days
from rehearsal.observing import OnCall, Page, whole_hours
from rehearsal.platform import Platform
from rehearsal.runs import backfilled_runs, run_dag

MEDALLION = "medallion_customers"
RECONCILE = "provenance_reconcile"
DAYS = sample_days()
HOSTILE_DAY = DAYS[0]
STARTED = datetime.now(UTC)


def bronze_prefix(day: date) -> str:
    return f"incoming/customers/dt={day}/"


def land_all(platform: Platform) -> list[Landed]:
    """The sample days, and on the first of them oddly named, broken and empty things."""
    landed = land_sample(platform, DAYS)
    for file in oddly_named(bronze_prefix(HOSTILE_DAY)) + broken_files():
        landed.append(land(platform, "web-shop", HOSTILE_DAY, file.name, file.body))
    landed.append(land(platform, "web-shop", HOSTILE_DAY, "folder marker/", b""))
    return landed


def check_accounts(platform: Platform, day: date) -> None:
    """Each file of a day has the rows that were expected of it, and its account closes."""
    expected = expected_accounts(day)
    if day == HOSTILE_DAY:
        for file in oddly_named(bronze_prefix(day)) + broken_files():
            expected[file.name] = Account(file.landed, file.silver, 0, file.quarantined)
    accounts = file_accounts(platform, day)
    assert accounts == expected
    assert all(account.closes for account in accounts.values())


def reconcile(platform: Platform, on_call: OnCall) -> list[Page]:
    """What is paged when everything since the beginning is judged."""
    start, end = whole_hours(STARTED, datetime.now(UTC))
    window = {"window_start": start.isoformat(), "window_end": end.isoformat()}
    run_dag(platform, RECONCILE, window | {"grace_minutes": 0, "delivery_hours": 0}, say=print)
    return on_call.pages()


def task_log(platform: Platform, day: date, task_id: str) -> str:
    """The log of a task of the day's run."""
    airflow, run_id = platform.airflow, backfilled_runs(platform, MEDALLION)[day]
    (task,) = [
        task for task in airflow.task_instances(MEDALLION, run_id) if task["task_id"] == task_id
    ]
    return airflow.task_log(MEDALLION, run_id, task)
