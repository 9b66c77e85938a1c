"""The `custody` command: its commands, and how it ends."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from custody.cli.arguments import exit_status
from custody.cli.commands import (
    check,
    export,
    findings,
    keys,
    prove,
    redrive,
    report,
    rollback,
    seal,
    trace,
    trail,
    verify,
)
from custody.cli.errors import Contradiction, explain
from custody.cli.output import Output
from custody.cli.version import VERSION
from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.signed_note import BadNote
from custody.core.tlog.tiles import BadTile
from custody.reading.errors import CannotCheck

WELL: Final = 0
FINDINGS: Final = 1
CANNOT_CHECK: Final = 2

COMMANDS: Final = (
    verify, trace, trail, seal, prove, export, check, report, findings, keys, redrive,
    rollback,
)  # fmt: skip
"""The modules of the commands, in the order of the help."""

_ENDS: Final = (
    exit_status(
        "everything that was asked for is well",
        "something is wrong; what, is on standard output",
    )
    + """
Results are tables for people, or one JSON object on a line each with --json. Progress is shown on
standard error while that is a terminal. docs/auditor.md tells how an audit goes.
"""
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; argparse leaves with 2 by itself."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.run is None:
        parser.print_help(sys.stderr)
        return CANNOT_CHECK
    output = Output(as_json=args.json)
    try:
        return WELL if args.run(args, output) else FINDINGS
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        output.remark("stopped")
        return 130
    except (BadNote, BadTile, MalformedInput, Contradiction) as error:
        for finding in _findings(error):
            output.document({"kind": "finding", "reason": finding})
            output.line(finding, "bold red")
        return FINDINGS
    except CannotCheck as error:
        output.remark(str(error))
    except (BotoCoreError, ClientError) as error:
        output.remark(f"AWS: {explain(error)}")
    except OSError as error:
        output.remark(f"a file cannot be read or written: {error}")
    except Exception as error:  # noqa: BLE001 - Python would end with 1, as if evidence were bad
        traceback.print_exc()
        output.remark(f"{type(error).__name__}: this is a bug of custody {VERSION}, no finding")
    return CANNOT_CHECK


def _findings(error: Exception) -> Sequence[str]:
    if isinstance(error, Contradiction):
        return error.findings
    return [f"the seal cannot be used: {error} (custody seal checks the log itself)"]


def run() -> None:
    """The console script."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has seen enough; Python must not try to tell them more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="custody",
        description="Check the chain of custody of files, with public keys and read access alone.",
        epilog=_ENDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add_command(commands)
    return parser
