"""What ends a command without an answer, and the remedy."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)


class Contradiction(Exception):
    """What is to be checked is not what it was said to be; `findings` say how."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__("; ".join(findings))
        self.findings = findings


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
