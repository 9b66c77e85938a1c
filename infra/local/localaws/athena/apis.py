"""The AWS services a query uses, called as whoever runs it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from botocore.config import Config

from localaws.clients import session
from localaws.protocol import Caller
from localaws.settings import Settings


@dataclass(frozen=True, slots=True)
class Apis:
    """Clients with the caller's credentials: IAM and CloudTrail see the caller."""

    s3: Any
    glue: Any


@functools.lru_cache(maxsize=16)
def apis_of(settings: Settings, caller: Caller) -> Apis:
    """Clients for the local endpoint; some are kept, as making one takes longer than a query."""
    own = session(settings, caller.access_key_id, caller.secret_access_key, caller.session_token)
    config = Config(
        s3={"addressing_style": "path"},
        retries={"mode": "standard", "max_attempts": 3},
        max_pool_connections=16,
        user_agent_extra="athena.amazonaws.com",
    )
    return Apis(
        own.client("s3", endpoint_url=settings.endpoint, config=config),
        own.client("glue", endpoint_url=settings.endpoint, config=config),
    )
