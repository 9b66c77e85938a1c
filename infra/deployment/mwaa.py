"""Airflow on MWAA: its code before the stacks, and whether it runs after them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.build import REPOSITORY
from infra.bundle.__main__ import build
from infra.bundle.places import Places
from infra.deployment.artifacts import Artifacts
from infra.deployment.errors import DeployError
from infra.deployment.session import Session

PARAMETERS: Final = frozenset(
    {
        "DagS3Path",
        "PluginsS3Path",
        "PluginsS3ObjectVersion",
        "RequirementsS3Path",
        "RequirementsS3ObjectVersion",
    }
)
"""What the stacks are told of the code."""

_PAUSE_SECONDS: Final = 30.0
_DEADLINE_SECONDS: Final = 3 * 3600
_CHANGING: Final = frozenset(
    {"CREATING", "CREATING_SNAPSHOT", "MAINTENANCE", "PENDING", "ROLLING_BACK", "UPDATING"}
)


def upload(artifacts: Artifacts) -> dict[str, str]:
    """Build the bundle and upload it below its hash; gives the parameters that name it."""
    folder = REPOSITORY / "build" / "mwaa"
    places = Places(build(REPOSITORY, folder))
    for key, file in places.uploads(folder):
        artifacts.put(key, file.read_bytes())
    return {
        "DagS3Path": places.dag_s3_path,
        "PluginsS3Path": places.plugins_s3_path,
        "PluginsS3ObjectVersion": artifacts.version_of(places.plugins_s3_path),
        "RequirementsS3Path": places.requirements_s3_path,
        "RequirementsS3ObjectVersion": artifacts.version_of(places.requirements_s3_path),
    }


@dataclass(frozen=True)
class Environment:
    """An environment that the stacks have made."""

    session: Session
    name: str
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep

    def wait(self) -> None:
        """Wait until it is available.

        CloudFormation waits for it too, but goes on when an environment has rolled back to the code
        of before, and does not tell why.

        Raises:
            DeployError: it is not, or runs other code than it was told to; says what MWAA says.
        """
        started = time.monotonic()
        while time.monotonic() - started < _DEADLINE_SECONDS:
            environment = self._describe()
            if environment["Status"] not in _CHANGING:
                self._check(environment)
                return
            minutes = (time.monotonic() - started) / 60
            self.say(
                f"{self.name}: {environment['Status']} for {minutes:.0f} min (20 to 60 are usual)"
            )
            self.sleep(_PAUSE_SECONDS)
        raise DeployError(f"{self.name} is not available after hours: look at it in MWAA")

    def ask(self, path: str) -> Mapping[str, Any]:
        """What Airflow's REST API answers to a GET; MWAA signs in whoever may call it."""
        answer = self.session.client("mwaa").invoke_rest_api(
            Name=self.name, Path=path, Method="GET"
        )
        found: Mapping[str, Any] = answer["RestApiResponse"]
        return found

    def _describe(self) -> Mapping[str, Any]:
        described: Mapping[str, Any] = self.session.client("mwaa").get_environment(Name=self.name)[
            "Environment"
        ]
        return described

    def _check(self, environment: Mapping[str, Any]) -> None:
        last = environment.get("LastUpdate", {})
        failed = environment["Status"] != "AVAILABLE" or last.get("Status") == "FAILED"
        if not failed:
            return
        error = last.get("Error", {})
        reason = f": {error['ErrorCode']}: {error['ErrorMessage']}" if error else ""
        raise DeployError(
            f"{self.name} is {environment['Status']}, its last update {last.get('Status', 'none')}"
            f"{reason}\nIts log group is airflow-{self.name}-Scheduler: streams that begin with "
            "requirements_install say what could not be installed. Mend it, then run the same "
            "command again"
        )
