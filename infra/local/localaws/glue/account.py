"""Clients of the local AWS, as the account itself (as AWS's own services are) or as a role."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from localaws.access import servicekeys
from localaws.access.root import root_keys
from localaws.clients import session
from localaws.settings import Settings

SERVICE = "glue.amazonaws.com"

# Glue renews the credentials of a run as it goes; ours are given once and must last.
_SESSION_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class RoleSession:
    """Temporary credentials of a role."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """The credentials as the SDKs of Python and Java read them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


class Account:
    """Makes clients; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._own: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client that acts as the account."""
        with self._lock:
            if service not in self._own:
                root = root_keys(self._settings)
                keys = (root.access_key_id, root.secret_access_key)
                own = session(self._settings, *keys, service=SERVICE)
                self._own[service] = self._client(own, service)
            return self._own[service]

    def take_role(self, role_arn: str, session_name: str) -> RoleSession:
        """A session for the code of a job, as the Glue service takes it; raises ClientError."""
        taken = self.client("sts").assume_role(
            RoleArn=role_arn, RoleSessionName=session_name, DurationSeconds=_SESSION_SECONDS
        )["Credentials"]
        servicekeys.mark(taken["AccessKeyId"], {"glue:CredentialIssuingService": SERVICE})
        return RoleSession(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])

    def client_as(self, role: RoleSession, service: str) -> Any:
        """A client that acts as a role."""
        keys = (role.access_key_id, role.secret_access_key, role.session_token)
        return self._client(session(self._settings, *keys), service)

    def _client(self, of: Any, service: str) -> Any:
        return of.client(service, endpoint_url=self._settings.endpoint)
