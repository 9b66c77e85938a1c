"""The command line of the local AWS: start, stop, reset, status, readback, logs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence

from localaws.access.bootstrap import administrator, bootstrap
from localaws.cloudformation.readback import ReadbackError, differences
from localaws.server import lifecycle
from localaws.server.lifecycle import LifecycleError
from localaws.settings import Settings, SettingsError

_EPILOG = """environment:
  CUSTODY_LOCAL_HOME    where everything is kept (default: build/local of the repository)
  LOCAL_AWS_PORT        port on 127.0.0.1 (default: 4566)
  LOCAL_AWS_ACCOUNT_ID  twelve digits (default: 111122223333)
  LOCAL_AWS_REGION      (default: us-east-1)
  LOCAL_AWS_LISTEN      127.0.0.1 (default), or 0.0.0.0 inside a container
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code is 0, or 1 with a message on stderr.

    `status` exits with 3 when the server does not run, as service managers do.
    """
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.from_env(os.environ)
        if getattr(options, "port", None):
            settings = dataclasses.replace(settings, port=options.port)
        command: str = options.command
        if command == "status":
            return _status(settings, as_json=options.json)
        if command == "readback":
            return _readback(settings, options.stack)
        if command == "start":
            _start(settings, fresh=options.fresh)
        elif command == "stop":
            print("stopped" if lifecycle.stop(settings, kill=options.kill) else "was not running")
        elif command == "reset":
            lifecycle.reset(settings)
            print(f"stopped, and everything under {settings.home} forgotten (logs stay)")
        else:
            print(lifecycle.tail(settings, options.lines))
    except (LifecycleError, ReadbackError, SettingsError) as error:
        print(f"localaws: {error}", file=sys.stderr)
        return 1
    return 0


def _start(settings: Settings, *, fresh: bool) -> None:
    if fresh:
        lifecycle.reset(settings)
    started = lifecycle.start(settings, os.environ)
    bootstrap(settings)
    print(f"{'started' if started else 'already running'}: {settings.endpoint}")
    print(f"profiles: AWS_CONFIG_FILE={settings.aws / 'config'}")
    print(f"          AWS_SHARED_CREDENTIALS_FILE={settings.aws / 'credentials'}")


def _status(settings: Settings, *, as_json: bool) -> int:
    pid = lifecycle.running_pid(settings)
    answer = lifecycle.health(settings) if pid is not None else None
    state = "stopped" if pid is None else "ready" if answer else "starting or stuck"
    if as_json:
        facts = {"state": state, "endpoint": settings.endpoint, "home": str(settings.home)}
        print(json.dumps(facts | {"pid": pid, "health": answer}))
    else:
        print(
            f"{state}: {settings.endpoint}, home {settings.home}" + (f", process {pid}" * bool(pid))
        )
    return 0 if answer else 3


def _readback(settings: Settings, stack: str) -> int:
    found = differences(settings, stack, administrator(settings))
    for difference in found:
        print(f"localaws: {difference}", file=sys.stderr)
    if not found:
        print(f"{stack} is what its templates say")
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="localaws",
        description="An AWS for this machine: ministack with real Athena, Glue and CloudTrail.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("start", help="start in the background; wait until it answers")
    start.add_argument("--port", type=_port, help="port on 127.0.0.1 (default: LOCAL_AWS_PORT)")
    start.add_argument("--fresh", action="store_true", help="forget everything first")
    stop = commands.add_parser("stop", help="stop; everything is kept")
    stop.add_argument("--kill", action="store_true", help="at once, as a crash would (SIGKILL)")
    commands.add_parser("reset", help="stop and forget everything")
    status = commands.add_parser("status", help="is it running? (exit code 3 when not)")
    status.add_argument("--json", action="store_true", help="for programs")
    check = commands.add_parser("readback", help="check a deployed stack against its templates")
    check.add_argument("--stack", required=True, help="name of the root stack")
    logs = commands.add_parser("logs", help="the end of the server's log")
    logs.add_argument("-n", "--lines", type=int, default=50, help="how many (default: 50)")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port number")
    return int(text)
