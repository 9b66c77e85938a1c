"""Who makes an S3 call, as CloudTrail will name them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ministack.services import iam, sts

from localaws.access.calledvia import called_via
from localaws.access.identity import caller_of
from localaws.cloudtrail.recording.events import Actor, Session, identity_of, service_identity
from localaws.protocol import AwsError
from localaws.server.wire import Head, Scope

# Set by our own bucket writer on the scope of its in-process calls: the service on whose behalf
# the call is made. It is not a header, so nobody outside this process can set it.
SERVICE_PRINCIPAL = "localaws.service_principal"


def actor_of(scope: Scope, head: Head, access_key: str, account_id: str) -> Actor:
    """Name the caller of a request signed with `access_key`.

    Whether the signature is right is ministack's to say. A key nobody holds gives type
    `Unknown`; ministack refuses such a call, and what it refuses for that reason is not logged.
    """
    signature, authentication = _signature(head)
    service = scope.get(SERVICE_PRINCIPAL)
    if service is not None:
        return Actor(service_identity(service), service, service, authentication, signature)
    user_agent = f"[{head.headers.get('user-agent', '')}]"
    try:
        caller = caller_of(access_key, account_id)
    except AwsError:
        identity: dict[str, Any] = {"type": "Unknown", "accessKeyId": access_key}
    else:
        session = _session(access_key, account_id) if caller.type == "AssumedRole" else None
        identity = identity_of(caller, session)
    for service in called_via(head.headers).get("aws:calledvia", ()):
        # AWS shows through whom a call came in the place of where it came from.
        through = identity | {"invokedBy": service}
        return Actor(through, service, service, authentication, signature)
    return Actor(identity, head.source_ip, user_agent, authentication, signature)


def _signature(head: Head) -> tuple[str, str]:
    """The signature's version, and where it was."""
    authorization = head.headers.get("authorization", "")
    if authorization:
        return ("SigV2" if authorization.startswith("AWS ") else "SigV4"), "AuthHeader"
    return ("SigV4" if "X-Amz-Credential" in head.query else "SigV2"), "QueryString"


def _session(access_key: str, account_id: str) -> Session | None:
    """The role behind a temporary credential, from ministack's own books.

    They are read in process because no AWS call answers it: GetCallerIdentity knows neither the
    role's path nor when the credential was issued.
    """
    session = sts._sessions.get(access_key)  # noqa: SLF001
    if session is None:
        return None
    _, _, resource = str(session.get("Arn", "")).partition(":assumed-role/")
    role_name = resource.partition("/")[0]
    role = iam._roles.get_scoped(account_id, None, role_name) or {}  # noqa: SLF001
    return Session(
        role_arn=role.get("Arn") or f"arn:aws:iam::{account_id}:role/{role_name}",
        role_id=role.get("RoleId") or str(session.get("UserId", "")).partition(":")[0],
        role_name=role_name,
        issued_at=dt.datetime.fromtimestamp(float(session.get("IssuedAt", 0)), dt.UTC),
    )
