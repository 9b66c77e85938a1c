"""The command line of a generator."""

import argparse
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any


def positive(text: str) -> int:
    """A number above zero; refused as argparse wants it if it is none."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def parser(description: str | None, sample: str, default: Any) -> argparse.ArgumentParser:
    """What every generator is asked for; `sample` is how the sample is made, `default` what is made
    where nothing is said.
    """
    made = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=sample,
    )
    made.add_argument("--out", type=Path, required=True, help="folder for dt=…/<file>")
    made.add_argument(
        "--seed", type=int, default=default.seed, help="which world (default: %(default)s)"
    )
    made.add_argument(
        "--first-day",
        type=dt.date.fromisoformat,
        default=default.first_day,
        metavar="YYYY-MM-DD",
        help="day of the first files (default: %(default)s)",
    )
    made.add_argument(
        "--days", type=positive, default=default.days, help="days of files (default: %(default)s)"
    )
    made.add_argument(
        "--rows", type=positive, default=default.rows, help="rows a day (default: %(default)s)"
    )
    return made


def make(
    asked: argparse.ArgumentParser,
    argv: list[str],
    generate: Callable[[Path, Any], dict[str, Any]],
    order: Callable[..., Any],
) -> int:
    """Make what the command line asks for, and say what it is."""
    arguments = vars(asked.parse_args(argv))
    try:
        manifest = generate(arguments.pop("out"), order(**arguments))
    except (OSError, ValueError, OverflowError) as error:
        asked.error(str(error))
    for day, account in manifest["days"].items():
        print(
            f"{day}: {account['landed_rows']} rows in {len(account['files'])} files: "
            f"{account['silver_rows']} to keep, {account['duplicate_rows']} duplicates, "
            f"{account['quarantined_rows']} to reject"
        )
    return 0
