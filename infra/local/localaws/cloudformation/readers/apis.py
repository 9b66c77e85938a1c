"""What every reader is given, and what they share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

Properties = dict[str, Any]
"""Of a resource, spelled as CloudFormation spells them."""


class Apis:
    """Clients of the local AWS, made when needed."""

    def __init__(self, session: boto3.Session, endpoint: str) -> None:
        self._session = session
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,
                endpoint_url=self._endpoint,  # type: ignore[call-overload]
                # MWAA's calls go to hosts below the endpoint's.
                config=Config(inject_host_prefix=False),
            )
        return self._clients[service]

    @cached_property
    def account_id(self) -> str:
        """The caller's account."""
        return str(self.client("sts").get_caller_identity()["Account"])


Reader = Callable[[Apis, str, Mapping[str, Any]], Properties]
"""Asks for a resource by its physical id; it also gets what the template wants."""


def or_none(get: Callable[[], Any]) -> Any:
    """What `get` gives, None where S3 says that nothing is configured."""
    try:
        answer = get()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code.startswith("NoSuch") or code.endswith("NotFoundError"):
            return None
        raise
    return answer


def the_same(policies: list[str]) -> Any:
    documents = [json.loads(policy) for policy in policies]
    if any(document != documents[0] for document in documents):
        raise ValueError("one policy, several contents: " + " / ".join(policies))
    return documents[0]
