"""Where the local AWS lives and listens; everything comes from the environment, once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
# Every interface: for a container alone, whose network and published ports say who can reach it.
ANY = "0.0.0.0"  # noqa: S104 - only by LOCAL_AWS_LISTEN
REPOSITORY = Path(__file__).resolve().parents[3]

_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")

GLOBAL_REGION = "us-east-1"
"""Where services without a region have theirs: CloudTrail logs IAM's calls there, wherever from."""

_QUIET_REGION = "eu-west-1"


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one local AWS. `home` holds everything it ever writes."""

    home: Path
    port: int
    account_id: str
    region: str
    listen: str = HOST
    """Address it listens on: loopback, unless somebody says otherwise (a container's network)."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read CUSTODY_LOCAL_HOME, LOCAL_AWS_PORT, LOCAL_AWS_ACCOUNT_ID, LOCAL_AWS_REGION and
        LOCAL_AWS_LISTEN.
        """
        port = env.get("LOCAL_AWS_PORT", "4566")
        if not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise SettingsError(f"LOCAL_AWS_PORT={port!r}: give a port number from 1 to 65535")
        account = env.get("LOCAL_AWS_ACCOUNT_ID", "111122223333")
        if not _ACCOUNT.fullmatch(account):
            raise SettingsError(f"LOCAL_AWS_ACCOUNT_ID={account!r}: give twelve digits")
        region = env.get("LOCAL_AWS_REGION", "us-east-1")
        if not _REGION.fullmatch(region):
            raise SettingsError(f"LOCAL_AWS_REGION={region!r}: give a region such as us-east-1")
        listen = env.get("LOCAL_AWS_LISTEN", HOST)
        if listen not in (HOST, ANY):
            raise SettingsError(f"LOCAL_AWS_LISTEN={listen!r}: give {HOST} or {ANY}")
        home = Path(env.get("CUSTODY_LOCAL_HOME") or REPOSITORY / "build" / "local")
        return cls(home.expanduser().resolve(), int(port), account, region, listen)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that the account has enabled: this one first, that of global services, and
        one in which nobody does anything."""
        return tuple(dict.fromkeys((self.region, GLOBAL_REGION, _QUIET_REGION)))

    @property
    def endpoint(self) -> str:
        """The one URL of every service."""
        return f"http://{HOST}:{self.port}"

    @property
    def state(self) -> Path:
        """Service state (JSON); a service of ours keeps its own in `state/<service>`."""
        return self.home / "state"

    @property
    def s3(self) -> Path:
        """Object bodies and their metadata."""
        return self.home / "s3"

    @property
    def logs(self) -> Path:
        """Logs of the server and of what it runs."""
        return self.home / "logs"

    @property
    def aws(self) -> Path:
        """`config` and `credentials` of the local principals."""
        return self.home / "aws"

    @property
    def glue(self) -> Path:
        """Working directories of Glue job runs."""
        return self.home / "glue"

    @property
    def tmp(self) -> Path:
        """Scratch space of the server: unpacked function code."""
        return self.home / "tmp"

    @property
    def run(self) -> Path:
        """The process id file and the lock."""
        return self.home / "run"
