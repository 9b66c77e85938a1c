"""Whose credentials are used, in which region, against which endpoint."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import botocore.config
import botocore.session
from infra.deployment.errors import DeployError

_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class Session:
    """The environment's credentials (`AWS_PROFILE` and so on, as for AWS's tools) in one region."""

    region: str
    profile: str | None = None
    """Another one than that of the environment."""
    role_arn: str | None = None
    """A role that the credentials are exchanged for."""

    @cached_property
    def _session(self) -> botocore.session.Session:
        session = botocore.session.Session(profile=self.profile)
        session.set_config_variable("region", self.region)
        if self.role_arn:
            sts: Any = session.create_client("sts")
            taken = sts.assume_role(RoleArn=self.role_arn, RoleSessionName="deployment")[
                "Credentials"
            ]
            session.set_credentials(
                taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"]
            )
        return session

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def client(self, service: str) -> Any:
        """A client of a service; throttled calls are tried again for a while."""
        if service not in self._clients:
            config = botocore.config.Config(retries={"mode": "adaptive", "max_attempts": 10})
            try:
                self._clients[service] = self._session.create_client(service, config=config)
            except ValueError as error:  # botocore's, of an AWS_ENDPOINT_URL that is no URL
                raise DeployError(str(error)) from error
        return self._clients[service]

    @cached_property
    def caller(self) -> Caller:
        """Who the credentials belong to."""
        identity = self.client("sts").get_caller_identity()
        return Caller(identity["Account"], identity["Arn"])

    def elsewhere(self, region: str, role_arn: str | None) -> Session:
        """The same credentials in another region, or a role that they may take there."""
        return replace(self, region=region, role_arn=role_arn)

    @property
    def endpoint(self) -> str:
        """Where CloudFormation is asked."""
        endpoint: str = self.client("cloudformation").meta.endpoint_url
        return endpoint


@dataclass(frozen=True)
class Caller:
    """An account, and the ARN that AWS knows the caller by."""

    account: str
    arn: str

    def is_one_of(self, principals: tuple[str, ...]) -> bool:
        """Whether the caller is one of these users and roles.

        A session is its role, whose path an ARN of a session does not hold.
        """
        if ":assumed-role/" not in self.arn:
            return self.arn in principals
        role = self.arn.split("/")[1]
        return any(
            f":{self.account}:role/" in one and one.rpartition("/")[2] == role for one in principals
        )


def region_of_variables() -> str | None:
    """The region that the environment's variables name."""
    return next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), None)


def region_of_environment() -> str | None:
    """The region of the environment's variables, else of the profile."""
    named: str | None = botocore.session.Session().get_config_variable("region")
    return region_of_variables() or named
