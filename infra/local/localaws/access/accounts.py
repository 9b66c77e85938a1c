"""A second account beside that of this machine, and one way into it.

`POST /_local/accounts` with `{"account_id": "444455556666"}` makes the role `administrator` there,
which anybody may take whom this machine's account lets: as an account that an organization makes
has one for its management account. ministack keeps the resources of accounts apart; whoever has
taken the role is in the second one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ministack.core.responses import request_scope
from ministack.services import iam

from localaws.protocol import AwsError, AwsRequest, AwsResponse, json_object
from localaws.settings import Settings

ROLE = "administrator"
_ACCOUNT = re.compile(r"\d{12}")


class Accounts:
    """Answers `/_local/accounts`; no service of AWS's."""

    name = "accounts"
    targets: frozenset[str] = frozenset()

    def __init__(self, settings: Settings, commit: Callable[[], None]) -> None:
        self._settings = settings
        self._commit = commit

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def handle(self, request: AwsRequest) -> AwsResponse:
        """No call of AWS's is ours."""
        raise AwsError("UnknownOperationException", request.target or request.path)

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:
        """Make the role in an account, if it is not there; raises AwsError for a wrong number."""
        account = str(json_object(body).get("account_id"))
        if (method, path) != ("POST", "") or not _ACCOUNT.fullmatch(account):
            raise AwsError("ValidationException", 'POST {"account_id": "<twelve digits>"}')
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{self._settings.account_id}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        with request_scope(account, self._settings.region):
            iam._create_role(  # noqa: SLF001
                {"RoleName": [ROLE], "AssumeRolePolicyDocument": [json.dumps(trust)]}
            )
            iam._attach_role_policy(  # noqa: SLF001
                {
                    "RoleName": [ROLE],
                    "PolicyArn": ["arn:aws:iam::aws:policy/AdministratorAccess"],
                }
            )
        self._commit()
        return AwsResponse.of({"role_arn": f"arn:aws:iam::{account}:role/{ROLE}"})
