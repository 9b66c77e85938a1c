"""The `custody` command: its arguments, and how it ends."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from custody.aws.paging.dead_letters import redrive
from custody.cli.commands import check, export, keys, prove, seal, trace, trail, verify
from custody.cli.errors import CannotCheck
from custody.cli.output import Output
from custody.cli.reading.deployment import SSM, Deployment, now, read_keys
from custody.cli.reading.locations import Location
from custody.cli.reading.sources import one_version
from custody.core.formats.timestamps import parse_utc
from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.signed_note import BadNote
from custody.core.tlog.tiles import BadTile

WELL: Final = 0
FINDINGS: Final = 1
CANNOT_CHECK: Final = 2

SETTINGS_VARIABLE: Final = "CUSTODY_SETTINGS"

_ENDS = """\
exit status:
  0  everything that was asked for is well
  1  something is wrong; what, is on standard output
  2  nothing can be said: wrong usage, no permission, no such object

Results are tables for people, or one JSON object on a line each with --json. Progress is shown on
standard error while that is a terminal. docs/auditor.md tells how an audit goes.
"""

_COPY = """\
a copy of the buckets (--from DIR):
  DIR/<bucket>/<key>             what aws s3 sync leaves: the current version of each object
  DIR/_versions/<bucket>.json    what aws s3api list-object-versions --bucket <bucket> prints
  DIR/_metadata/<bucket>/<digest key>.json
                                 what aws s3api head-object prints, for each of the trail's digests
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; argparse leaves with 2 by itself."""
    args = _parser().parse_args(argv)
    output = Output(as_json=args.json)
    try:
        well = args.run(args, output)
    except CannotCheck as error:
        output.remark(str(error))
        return CANNOT_CHECK
    except (BotoCoreError, ClientError) as error:
        output.remark(f"AWS: {error}")
        return CANNOT_CHECK
    except (BadNote, BadTile, MalformedInput) as error:
        output.remark(f"the seal cannot be used, custody seal says more: {error}")
        return FINDINGS
    except KeyboardInterrupt:
        output.remark("stopped")
        return 130
    return WELL if well else FINDINGS


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


# Arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="custody",
        description="Check the chain of custody of files, with public keys and read access alone.",
        epilog=_ENDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str,
        run: Callable[[argparse.Namespace, Output], bool],
        about: str,
        *,
        aws: bool = True,
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog=f"{_COPY}\n{_ENDS}" if aws else _ENDS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        sub.add_argument("--json", action="store_true", help="print JSON lines")
        if aws:
            _add_deployment(sub)
        return sub

    sub = command("verify", _verify, "compare object versions with their signed records")
    sub.add_argument("uri", help="s3://bucket/key, or a prefix: all versions of what it names")
    _add_version(sub)

    sub = command("trace", _trace, "follow a file back to the bytes that landed and who sent them")
    sub.add_argument("uri", help="s3://bucket/key of silver, gold or bronze")
    _add_version(sub)
    _add_no_trail(sub)

    sub = command("trail", _trail, "prove CloudTrail's digests and every log file they name")
    sub.add_argument("--since", type=_time, help="prove what was delivered after this time (UTC)")
    sub.add_argument(
        "--as-of", type=_time, help="the time of the check: of a copy, when it was made; else now"
    )
    sub.add_argument(
        "--head", type=Path, help="file that remembers up to where everything is proven"
    )

    sub = command("seal", _seal, "check that the transparency log is whole and what it was")
    sub.add_argument("--head", type=Path, help="file that remembers the last good checkpoint")
    sub.add_argument(
        "--everything", action="store_true", help="read all of it, not only what is new"
    )

    sub = command("prove", _prove, "write the proof that the record of an object is sealed")
    sub.add_argument("uri", help="s3://bucket/key")
    _add_version(sub)
    _add_target(sub, "the proof (https://c2sp.org/tlog-proof)")

    sub = command("export", _export, "write a case that an outsider can check without us")
    sub.add_argument("uri", help="s3://bucket/key")
    _add_version(sub)
    _add_target(sub, "the case, a zip file")
    _add_no_trail(sub)
    sub.add_argument("--with-bytes", action="store_true", help="put the object itself into it, too")

    sub = command("check", _check, "check proofs and cases, offline", aws=False)
    sub.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a case or a proof")
    sub.add_argument(
        "--keys", "--key", type=Path, help="keys to trust, as custody keys writes them"
    )

    sub = command("keys", _keys, "write down the public keys of a deployment")
    _add_target(sub, "the keys")
    sub.add_argument(
        "--since", type=_time, help="CloudTrail's keys from this time on; else of the last 30 days"
    )

    command("redrive", _redrive, "send the recorder's dead letters back to its queue")
    return parser


def _add_deployment(parser: argparse.ArgumentParser) -> None:
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
        "--keys", type=Path, help="keys to trust, as custody keys writes them; else AWS is asked"
    )


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version-id", help="one version; S3 calls the one without an id null")


def _add_target(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=f"where to write {what}"
    )


def _add_no_trail(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-trail", action="store_true", help="do not look for the writes in CloudTrail's logs"
    )


def _time(text: str) -> datetime:
    try:
        return parse_utc(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from error


# Commands


def _deployment(args: argparse.Namespace) -> Deployment:
    if not args.settings:
        raise CannotCheck(
            f"which deployment? Give --settings FILE, --settings {SSM}NAME, or ${SETTINGS_VARIABLE}"
        )
    return Deployment(args.settings, copy=args.copy, keys=args.keys)


def _verify(args: argparse.Namespace, output: Output) -> bool:
    return verify.verify(_deployment(args), Location.parse(args.uri), args.version_id, output)


def _trace(args: argparse.Namespace, output: Output) -> bool:
    deployment = _deployment(args)
    stored = one_version(deployment.source, Location.parse(args.uri), args.version_id)
    return trace.trace(deployment, stored, output, with_trail=not args.no_trail)


def _trail(args: argparse.Namespace, output: Output) -> bool:
    if args.copy and not args.as_of:
        raise CannotCheck("when was the copy made? Give --as-of, such as 2026-11-01T06:00:00Z")
    return trail.check(
        _deployment(args), output, as_of=args.as_of or now(), since=args.since, head=args.head
    )


def _seal(args: argparse.Namespace, output: Output) -> bool:
    return seal.check(_deployment(args), args.head, output, everything=args.everything)


def _prove(args: argparse.Namespace, output: Output) -> bool:
    deployment = _deployment(args)
    stored = one_version(deployment.source, Location.parse(args.uri), args.version_id)
    return prove.prove(deployment, stored, args.output, output)


def _export(args: argparse.Namespace, output: Output) -> bool:
    deployment = _deployment(args)
    stored = one_version(deployment.source, Location.parse(args.uri), args.version_id)
    return export.export(
        deployment,
        stored,
        args.output,
        output,
        with_trail=not args.no_trail,
        with_bytes=args.with_bytes,
    )


def _check(args: argparse.Namespace, output: Output) -> bool:
    return check.check(args.files, read_keys(args.keys) if args.keys else None, output)


def _keys(args: argparse.Namespace, output: Output) -> bool:
    until = datetime.now(UTC)
    since = args.since or until - timedelta(days=30)
    return keys.fetch(_deployment(args), args.output, output, since=since, until=until)


def _redrive(args: argparse.Namespace, output: Output) -> bool:
    deployment = _deployment(args)
    sqs = deployment.sqs()
    moved = redrive(
        sqs,
        deployment.queue_url(sqs, "recorder-dlq"),
        deployment.queue_url(sqs, "recorder"),
    )
    output.document({"kind": "summary", "moved": moved})
    output.line(f"{moved} messages sent back to the recorder")
    return True
