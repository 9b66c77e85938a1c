"""Who made a call, and what else every CloudTrail record says of its caller.

Formats: "CloudTrail record contents" and "CloudTrail userIdentity element" in the AWS CloudTrail
User Guide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from custody.core.formats.untrusted import MAX_TEXT, Fields, MalformedInput

UNNAMED: Final = "an unnamed principal"

_SERVICE: Final = "AWSService"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who made a call. ``arn`` is a service's name where it has no ARN; ``role_arn`` is the role
    behind a session, ``access_key_id`` the key that signed. ``acting_as`` is the session of a
    platform's role that he took, where the trail names that."""

    arn: str
    type: str | None
    id: str | None
    role_arn: str | None
    access_key_id: str | None = None
    acting_as: str | None = None

    def is_one_of(self, arns: Iterable[str]) -> bool:
        """Whether the principal, or the role behind its session, is named."""
        return bool({self.arn, self.role_arn} & set(arns))

    @property
    def is_service(self) -> bool:
        """Whether AWS itself called, not somebody of an account."""
        return self.type == _SERVICE

    @property
    def described(self) -> str:
        """Who, and in whose name, for a sentence."""
        return f"{self.arn} (as {self.acting_as})" if self.acting_as else self.arn


class Call(Protocol):
    """What is told of any call when it is somebody's doing; see `TrailEvent`."""

    @property
    def event_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def time(self) -> datetime: ...
    @property
    def who(self) -> Principal: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def source_ip(self) -> str | None: ...
    @property
    def user_agent(self) -> str | None: ...
    @property
    def log(self) -> str: ...
    @property
    def digest(self) -> str | None: ...
    @property
    def proven(self) -> bool: ...


def read_principal(identity: Fields) -> Principal:
    """The caller that a record's ``userIdentity`` names; raises ``MalformedInput``."""
    issuer = None
    if identity.has("sessionContext"):
        context = identity.child("sessionContext")
        if context.has("sessionIssuer"):
            issuer = context.child("sessionIssuer").optional_text("arn")
    id_ = identity.optional_text("principalId")
    return Principal(
        arn=identity.optional_text("arn") or identity.optional_text("invokedBy") or id_ or UNNAMED,
        type=identity.optional_text("type"),
        id=id_,
        role_arn=issuer,
        access_key_id=identity.optional_text("accessKeyId"),
    )


def better_known(one: Principal, other: Principal) -> Principal:
    """Of two views of the principal of one id, the fuller, whichever comes first."""
    return max(
        one,
        other,
        key=lambda p: (p.arn not in (p.id, UNNAMED), p.role_arn is not None, repr(p)),
    )


def check_event_version(record: Fields) -> None:
    """``eventVersion`` 1.x: the same major version, whatever was added since.

    Raises ``MalformedInput`` for another.
    """
    if record.text("eventVersion").partition(".")[0] != "1":
        raise MalformedInput(record.where("eventVersion"), "must be 1.x")


def remark(record: Fields, name: str) -> str | None:
    """What a caller says of itself, cut to size: saying a lot gets nobody out of the ledger."""
    value = record.values.get(name)
    if not isinstance(value, str) or not value:
        return None
    return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
