"""`custody rollback`: show again what an earlier run had built of a day, by the day's own DAG."""

from __future__ import annotations

import argparse
import time
from datetime import date
from typing import Final

from custody.aws.dag_runs import Refused, is_paused, start_run, states_of
from custody.aws.publications.expiring import is_stated
from custody.aws.publications.keeping import publications_of
from custody.cli.arguments import Commands, add_deployment, deployment, new_command
from custody.cli.output import Output
from custody.console.lineages import Lineages
from custody.core.console.days import DatasetDay, day_of_dataset
from custody.core.datasets.manual import dag_of
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import MalformedInput
from custody.core.publications.contract_versions import built_by
from custody.core.publications.model import MAX_REASON, rollback
from custody.reading.deployment import Deployment
from custody.reading.errors import CannotCheck

_MOST: Final = 100
"""So many publications of a day are looked at, the latest."""

_PAUSE_SECONDS: Final = 5


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "rollback",
        _run,
        about="show again what an earlier run had built of a day; without --to, list the runs that "
        "signed to have built it. Airflow's DAG does it, asked through MWAA in your name, and "
        "publishes only what that run signed",
        well="the runs are listed; or the day shows what was asked for",
        wrong="the DAG has failed, and the day shows what it showed before",
    )
    add_deployment(parser)
    parser.add_argument("dataset", help="of which dataset")
    parser.add_argument("day", type=_day, metavar="YYYY-MM-DD", help="of which day")
    parser.add_argument("--to", metavar="RUN", help="the job run of silver (jr_…) to show again")
    parser.add_argument("--reason", default="", help="why; stands in the table publications")


def _run(args: argparse.Namespace, output: Output) -> bool:
    if args.copy is not None:
        raise CannotCheck("a day is rolled back where it is: leave --from out")
    stage = deployment(args, output)
    day = _read(stage, args)
    if args.to is None:
        _list(stage, day, output)
        return True
    if args.to not in {run.run.id for run in day.silver}:
        if not day.unread:
            raise CannotCheck(
                f"no run {args.to} has signed to have built {day.dt} of {day.dataset}: without "
                "--to, those that have are listed"
            )
        # Who plants statements by the hundred keeps nobody from rolling back.
        output.remark(f"{day.unread}: whether {args.to} built the day, its DAG finds out")
    if not args.reason.strip():
        raise CannotCheck("why? Give --reason: it stands in the table publications")
    if len(args.reason) > MAX_REASON:
        raise CannotCheck(f"--reason has {len(args.reason)} characters, of at most {MAX_REASON}")
    return _roll_back(stage, day, args, output)


def _read(stage: Deployment, args: argparse.Namespace) -> DatasetDay:
    bucket = stage.setting(lambda settings: settings.analytics_bucket)
    stated = Lineages().of(stage, args.day)
    published = publications_of(stage.s3, bucket, args.dataset, str(args.day), most=_MOST)
    day = day_of_dataset(args.dataset, str(args.day), stated.lineages, published, stated.unread)
    if not day.runs and not published:
        unread = f" ({day.unread})" if day.unread else ""
        raise CannotCheck(f"nothing of {day.dt} was built of a dataset {day.dataset!r}{unread}")
    return day


def _list(stage: Deployment, day: DatasetDay, output: Output) -> None:
    shown = {table.run for table in day.shown.shown} if day.shown else set()
    if day.unread:
        output.remark(day.unread)
    expired = {
        run.run.id for run in day.silver if is_stated(stage.s3, stage.provenance_bucket, run.run)
    }
    for run in day.silver:
        output.document(
            {
                "kind": "run",
                "run": run.run.id,
                "finished": format_utc(run.finished_on),
                "contract": built_by(run),
                "shown": run.run.id in shown,
                "expires": run.run.id in expired,
            }
        )
    rows = [
        (
            run.run.id,
            format_utc(run.finished_on),
            built_by(run) or "",
            "is shown" if run.run.id in shown else "expires" if run.run.id in expired else "",
        )
        for run in day.silver
    ]
    output.table(("run", "finished", "contract", ""), rows)
    output.line(f"{len(rows)} runs have signed to have built {day.dt} of {day.dataset}")
    if rows:
        output.line(
            "shown again is one that does not expire, of the contract's MAJOR version of today"
        )


def _roll_back(
    stage: Deployment, day: DatasetDay, args: argparse.Namespace, output: Output
) -> bool:
    mwaa, dag_id = stage.mwaa(), dag_of(day.dataset)
    environment = stage.setting(lambda settings: settings.airflow_environment)
    try:
        if is_paused(mwaa, environment, dag_id):
            raise CannotCheck(f"{dag_id} is paused: its runs wait until somebody unpauses it")
        run_id = start_run(mwaa, environment, dag_id, rollback(day.dt, args.to, args.reason))
        output.remark(f"{dag_id} runs as {run_id}; it goes on if you stop waiting")
        states = states_of(mwaa, environment, dag_id, run_id, lambda: time.sleep(_PAUSE_SECONDS))
        *_, state = output.progress(states, str)
    except (MalformedInput, Refused) as error:
        raise CannotCheck(str(error)) from error
    published = _read(stage, args).shown
    runs = {table.run for table in published.shown} if published else set()
    done = state == "success" and args.to in runs
    output.document({"kind": "summary", "airflow_run": run_id, "state": state, "done": done})
    if published is not None and done:
        output.line(f"{day.dt} of {day.dataset} shows {args.to} ({published.key})", "green")
    else:
        said = f"{run_id} of {dag_id} ended as {state}: its task publish says why in its log"
        output.line(said, "bold red")
    return done


def _day(text: str) -> date:
    """The type of the day; raises argparse's error."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day like 2026-11-01") from error
