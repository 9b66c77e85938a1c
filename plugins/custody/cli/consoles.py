"""What the console shows, read from S3 for the command line."""

from __future__ import annotations

from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from custody.console.reading import Console
from custody.core.console.overview import Overview
from custody.reading.deployment import Deployment, now
from custody.reading.errors import CannotCheck
from custody.settings import Settings


def read_overview(
    deployment: Deployment, days: int, *, answers: bool = False
) -> tuple[Overview, Console]:
    """The overview of the last `days` days, and what read it; with people's `answers`, whose key
    AWS is asked for, if they are wanted.

    Raises `CannotCheck` for a copy, of which nobody says when its objects were written, and unless
    one key of the seal is trusted.
    """
    if deployment.is_copy:
        raise CannotCheck("what stands is read from S3: leave --from out")
    if len(deployment.keys.seal) != 1:
        count = len(deployment.keys.seal)
        raise CannotCheck(f"{count} keys of the seal are trusted: the one of today is needed")
    (key,) = deployment.keys.seal
    time = now()

    def read(settings: Settings) -> tuple[Overview, Console]:
        key_arn = settings.answer_key_arn
        kms = deployment.kms(key_arn) if answers and key_arn else None
        console = Console(deployment.s3, settings, key, kms)
        return console.overview(time.date() - timedelta(days=days - 1), time), console

    return deployment.setting(read)


def read_answered(deployment: Deployment, days: int) -> tuple[Overview, Console, str]:
    """Like `read_overview`, with people's answers if AWS hands out their key and them; else with
    why it does not."""
    try:
        return *read_overview(deployment, days, answers=True), ""
    except (BotoCoreError, ClientError) as error:
        return *read_overview(deployment, days), str(error)
