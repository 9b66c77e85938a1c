"""`custody rollback`: show again what an earlier run had built of a day, by the day's own DAG."""

from __future__ import annotations

import argparse
import time
from datetime import date
from typing import Final

from custody.aws.dag_runs import Refused, start_run, states_of
from custody.aws.publications.keeping import publications_of
from custody.cli.arguments import Commands, add_deployment, deployment, new_command
from custody.cli.output import Output
from custody.console.lineages import Lineages
from custody.core.console.days import DatasetDay, day_of_dataset
from custody.core.datasets.manual import dag_of
from custody.core.formats.timestamps import format_utc
from custody.core.publications.model import rollback
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
        _list(day, output)
        return True
    if args.to not in {run.run.id for run in day.silver}:
        raise CannotCheck(
            f"no run {args.to} has signed to have built {day.dt} of {day.dataset}: without --to, "
            "those that have are listed"
        )
    if not args.reason.strip():
        raise CannotCheck("why? Give --reason: it stands in the table publications")
    return _roll_back(stage, day, args, output)


def _read(stage: Deployment, args: argparse.Namespace) -> DatasetDay:
    bucket = stage.setting(lambda settings: settings.analytics_bucket)
    stated = Lineages().of(stage, args.day)
    published = publications_of(stage.s3, bucket, args.dataset, str(args.day), most=_MOST)
    return day_of_dataset(args.dataset, str(args.day), stated.lineages, published, stated.unread)


def _list(day: DatasetDay, output: Output) -> None:
    shown = {table.run for table in day.shown.shown} if day.shown else set()
    if day.unread:
        output.remark(day.unread)
    for run in day.silver:
        output.document(
            {
                "kind": "run",
                "run": run.run.id,
                "finished": format_utc(run.finished_on),
                "shown": run.run.id in shown,
            }
        )
    rows = [
        (run.run.id, format_utc(run.finished_on), "is shown" if run.run.id in shown else "")
        for run in day.silver
    ]
    output.table(("run", "finished", ""), rows)
    output.line(f"{len(rows)} runs have signed to have built {day.dt} of {day.dataset}")


def _roll_back(
    stage: Deployment, day: DatasetDay, args: argparse.Namespace, output: Output
) -> bool:
    mwaa, dag_id = stage.mwaa(), dag_of(day.dataset)
    environment = stage.setting(lambda settings: settings.airflow_environment)
    try:
        run_id = start_run(mwaa, environment, dag_id, rollback(day.dt, args.to, args.reason))
        output.remark(f"{dag_id} runs as {run_id}; it goes on if you stop waiting")
        states = states_of(mwaa, environment, dag_id, run_id, lambda: time.sleep(_PAUSE_SECONDS))
        *_, state = output.progress(states, str)
    except Refused as error:
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
