"""`custody redrive`: the recorder's dead letters, back to its queue."""

from __future__ import annotations

import argparse

from custody.aws.paging.dead_letters import redrive
from custody.cli.arguments import Commands, add_deployment, new_command
from custody.cli.output import Output
from custody.reading.deployment import Deployment


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "redrive",
        _run,
        about="send the recorder's dead letters back to its queue",
        well="all that lay there was sent back; those that fail again come back",
        wrong="never",
    )
    add_deployment(parser)


def _run(args: argparse.Namespace, output: Output) -> bool:
    stage = Deployment(args.settings, copy=None, keys=args.keys)
    sqs = stage.sqs()
    moved = redrive(sqs, stage.queue_url(sqs, "recorder-dlq"), stage.queue_url(sqs, "recorder"))
    output.document({"kind": "summary", "moved": moved})
    output.line(f"{moved} messages sent back to the recorder")
    return True
