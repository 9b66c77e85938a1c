"""Who made a call, as every CloudTrail event describes its caller.

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
    """Who made a call.

    `arn` is the name of a service, which has no ARN. `role_arn` is the role of a session, and
    `access_key_id` the access key that signed the call. `acting_as` is the session in which
    this principal acted, if the trail shows that he assumed one of the platform's roles.
    `invoked_by` is the service that called on his behalf.
    """

    arn: str
    type: str | None
    id: str | None
    role_arn: str | None
    access_key_id: str | None = None
    acting_as: str | None = None
    invoked_by: str | None = None

    def is_one_of(self, arns: Iterable[str]) -> bool:
        """Whether the principal, or the role behind its session, is named."""
        return bool({self.arn, self.role_arn} & set(arns))

    @property
    def is_service(self) -> bool:
        """Whether AWS itself called, or did it without any call ("Non-API AWS service events" in
        the AWS CloudTrail User Guide); not somebody of an account."""
        uncalled = self.type is None and self.id is None and self.arn == self.invoked_by
        return self.type == _SERVICE or uncalled

    @property
    def described(self) -> str:
        """The principal for a sentence, with the session in which it acted."""
        return f"{self.arn} (as {self.acting_as})" if self.acting_as else self.arn


class Call(Protocol):
    """Any call in the trail: what `TrailEvent` and `ManagementEvent` have in common."""

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
    """The caller that an event's `userIdentity` describes; raises `MalformedInput`."""
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
        invoked_by=identity.optional_text("invokedBy"),
    )


def better_known(one: Principal, other: Principal) -> Principal:
    """The fuller of two descriptions of one principal id, in whichever order they come."""
    return max(
        one,
        other,
        key=lambda p: (p.arn not in (p.id, UNNAMED), p.role_arn is not None, repr(p)),
    )


def check_event_version(event: Fields) -> None:
    """Accept `eventVersion` 1.x: a minor version only adds fields.

    Raises `MalformedInput` for another major version.
    """
    if event.text("eventVersion").partition(".")[0] != "1":
        raise MalformedInput(event.where("eventVersion"), "must be 1.x")


def caller_text(event: Fields, name: str) -> str | None:
    """A caller-supplied text, truncated so that an oversized one cannot make us drop the event."""
    value = event.values.get(name)
    if not isinstance(value, str) or not value:
        return None
    return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
