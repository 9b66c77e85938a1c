"""What ends a command without an answer, and the remedy."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)


class CannotCheck(Exception):
    """Nothing can be said; the message names what is in the way, and what to do about it."""


def explain(error: BotoCoreError | ClientError) -> str:
    """What AWS or its library says, with the remedy if it is one of the environment."""
    match error:
        case NoRegionError():
            return "no region: set AWS_REGION, or a region in the profile that AWS_PROFILE names"
        case NoCredentialsError() | PartialCredentialsError():
            return f"{error}: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        case ProfileNotFound():
            return f"{error}: set AWS_PROFILE to one that `aws configure list-profiles` shows"
        case _:
            return str(error)
