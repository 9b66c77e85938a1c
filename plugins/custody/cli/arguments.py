"""What the commands' argument parsers share: options, and the text of their help.

Each module of `custody.cli.commands` registers its own command with `new_command`.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias

from custody.cli.errors import Contradiction
from custody.cli.output import Output, print_gaps
from custody.core.case.gaps import FoundGap, Gap
from custody.core.formats.timestamps import parse_utc
from custody.reading.deployment import SETTINGS_VARIABLE, SSM, Deployment
from custody.reading.errors import CannotCheck

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - no other name

CANNOT_CHECK_MEANS: Final = "nothing can be said: wrong usage, no permission, no such object"

_COPY: Final = """\
a copy of the buckets (--from DIR):
  DIR/<bucket>/<key>             what aws s3 sync leaves: the current version of each object
  DIR/_versions/<bucket>.json    what aws s3api list-object-versions --bucket <bucket> prints
  DIR/_metadata/<bucket>/<digest key>.json
                                 what aws s3api head-object prints, for each of the trail's digests

"""


def exit_status(well: str, wrong: str) -> str:
    """The part of a command's help that says what its exit status means."""
    return f"exit status:\n  0  {well}\n  1  {wrong}\n  2  {CANNOT_CHECK_MEANS}\n"


def new_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace, Output], bool],
    *,
    about: str,
    well: str,
    wrong: str,
) -> argparse.ArgumentParser:
    """Register a command and return its parser.

    `run` is called with the arguments and returns whether all is well. `about` says what the
    command does, `well` and `wrong` what exit statuses 0 and 1 mean.
    """
    parser = commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=exit_status(well, wrong),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    return parser


def add_deployment(parser: argparse.ArgumentParser, *gaps: Gap) -> None:
    """Add the options that `deployment` reads; `gaps` are what else may be waived."""
    parser.epilog = _COPY + (parser.epilog or "")
    parser.add_argument(
        "--settings",
        default=os.environ.get(SETTINGS_VARIABLE),
        metavar=f"FILE|{SSM}NAME",
        help="the JSON of the stack's settings parameter: a file, or the parameter's name behind "
        f"{SSM} (default: ${SETTINGS_VARIABLE})",
    )
    parser.add_argument(
        "--from", dest="copy", type=Path, metavar="DIR", help="read a copy of the buckets, not S3"
    )
    parser.add_argument(
        "--keys",
        type=Path,
        help="keys to trust and the deployment they are of, as custody keys writes them; else AWS "
        "is asked",
    )
    add_waive(parser, Gap.DEPLOYMENT, *gaps)


def add_cosigning_policy(parser: argparse.ArgumentParser, otherwise: str) -> None:
    """Add the option that names a policy file; `otherwise` says what holds without it."""
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="whose cosignatures a checkpoint must have (https://c2sp.org/tlog-policy); "
        f"{otherwise}",
    )


def deployment(args: argparse.Namespace, output: Output) -> Deployment:
    """The deployment that the arguments name.

    Raises `CannotCheck` if they name none, and if its keys are pinned and it is not, unless that is
    waived; and `Contradiction` if its settings are not those of the file of keys.
    """
    named = Deployment(args.settings, copy=args.copy, keys=args.keys)
    if args.keys is None:
        output.remark("nothing is pinned (--keys): settings and keys are what the account says now")
    elif named.pinned is None:
        what = (
            f"{args.keys} does not say which deployment it is about, so the settings are believed"
        )
        if not print_gaps([FoundGap(Gap.DEPLOYMENT, what)], args.waive, output):
            raise CannotCheck("fetch the keys anew with custody keys, or --waive deployment")
    elif differences := named.differences():
        raise Contradiction(
            [f"{args.settings}: {each}, as {args.keys} says" for each in differences]
        )
    return named


def add_object(parser: argparse.ArgumentParser, uri: str) -> None:
    """Add the arguments that name an object; `uri` is the help of the first."""
    parser.add_argument("uri", help=uri)
    parser.add_argument("--version-id", help="one version; S3 calls the one without an id null")


def add_target(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option that says where to write `what`."""
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=f"where to write {what}"
    )


def add_no_trail(parser: argparse.ArgumentParser) -> None:
    """Add the option that leaves CloudTrail out."""
    parser.add_argument(
        "--no-trail", action="store_true", help="do not look for the writes in CloudTrail's logs"
    )


def add_waive(parser: argparse.ArgumentParser, *gaps: Gap) -> None:
    """Add the option that names what may be missing; what was missing is told all the same."""
    parser.add_argument(
        "--waive",
        action="append",
        type=Gap,
        choices=gaps,
        default=[],
        metavar="|".join(gaps),
        help="accept that this is missing; may be given several times",
    )


def time(text: str) -> datetime:
    """The type of an argument that is a time; raises argparse's error for anything else."""
    try:
        return parse_utc(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from error


def up_to(most: int) -> Callable[[str], int]:
    """The type of a number from 1 to `most`, which raises argparse's error."""

    def number(text: str) -> int:
        digits = len(str(most))
        if not (re.fullmatch(rf"[0-9]{{1,{digits}}}", text) and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r:.50} must be a number from 1 to {most}")
        return int(text)

    return number
