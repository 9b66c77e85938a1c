"""Which Amazon provider the DAGs may run on."""

from __future__ import annotations

from typing import Final

from packaging.version import Version

OLDEST: Final = Version("9.35")
"""Older ones take a stopped Glue run for a success, and publish what no job has finished."""


class OldProvider(ImportError):
    """The Amazon provider is older than the DAGs can use."""


def check_provider(version: str) -> None:
    """Let the DAGs load on this version of the Amazon provider.

    Raises:
        OldProvider: it is older than `OLDEST`. MWAA runs its image's own provider when it cannot
            install `requirements.txt`, and says so in a log alone.
    """
    if Version(version) < OLDEST:
        raise OldProvider(
            f"the Amazon provider is {version} and must be {OLDEST} or later, as older ones take a"
            " stopped Glue run for a success: requirements.txt was not installed, and the log of"
            " its installation says why"
        )
