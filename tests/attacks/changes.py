"""Which controls the attackers changed, as their own clients tell: what must be found of each.

Whatever an attack does on its way (a policy lifted, a key made, a notification cut) changes a
control, and every change is a finding of its own in the ledger. The clients are listened to, so
that no attack has to list them, and none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore import handlers
from tests.attacks.attack import Finding

from custody.core.calls.kinds import USE, CallKind
from custody.core.calls.table import operation_of
from custody.core.ledger.rows import CONTROL

_AIRFLOWS = frozenset({"StartJobRun"})
"""What the suite itself calls as Airflow, to judge."""

_MADE_BY_ANYBODY = frozenset({"function", "job"})
"""Things that the account has of others, too: what concerns us is that they get a role of ours."""

_SERVICES = {"cloudwatch": "monitoring", "mwaa": "airflow"}


_NAMED = (  # "Name" last, as some calls give a thing's name and another one's
    *("AlarmName", "AliasName", "JobName", "QueueUrl", "RoleName", "StackName"),
    *("SubscriptionArn", "TopicArn", "TrailName", "UserName", "WorkGroup", "Name"),
)


class Changes:
    """The controls that were changed since it listens, as the ledger names them."""

    def __init__(self, settings: Mapping[str, str], *, recorder: str) -> None:
        self._settings = settings
        self._recorder = recorder
        self.controls: set[str] = set()
        self._listens = True
        handlers.BUILTIN_HANDLERS += [
            ("before-parameter-build", self._asked),
            ("after-call", self._answered),
        ]

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """What is changed meanwhile the trail does not see."""
        self._listens = False
        try:
            yield
        finally:
            self._listens = True

    def findings(self, by: str) -> set[Finding]:
        """What must be found, of the one who made all of them."""
        return {
            Finding("CONTROL_CHANGED", CONTROL, control, "null", by) for control in self.controls
        }

    def _asked(self, params: Any, context: dict[str, Any], **_: Any) -> None:
        context["asked"] = dict(params)

    def _answered(self, http_response: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        name = model.service_model.service_name
        service = _SERVICES.get(name, name)
        operation = operation_of(f"{service}.amazonaws.com", model.name)
        if (
            not self._listens
            or operation is None
            or operation.kind is not CallKind.CHANGES_A_CONTROL
            or http_response.status_code >= 300
            or model.name in _AIRFLOWS
            or (operation.thing, operation.aspect) == ("database", "tables")
        ):
            return
        asked = context["asked"]
        thing = self._name(service, asked)
        role = str(asked.get("Role", "")).rpartition("/")[2]
        if operation.thing in _MADE_BY_ANYBODY and not self._is_ours(str(thing)):
            if self._is_ours(role):
                self.controls.add(f"{service}/role/{role}/{USE}")
        elif thing is not None:
            parts = (service, operation.thing, thing, operation.aspect)
            self.controls.add("/".join(filter(None, parts)))

    def _is_ours(self, name: str) -> bool:
        return name.startswith(f"{self._settings['workgroup']}-")

    def _name(self, service: str, asked: Mapping[str, Any]) -> str | None:
        """The thing that a call is about; None if it is none of the platform's."""
        named = next((str(asked[name]) for name in _NAMED if name in asked), "")
        match service:
            case "kms" if "KeyId" in asked:
                key = str(asked["KeyId"])
                ours = any(key in value.split(",") for value in self._settings.values())
                return key.rpartition("/")[2] if ours else None
            case "s3":
                bucket = str(asked["Bucket"])
                return bucket if bucket in self._settings.values() else None
            case "lambda":  # a subscription is named by an id; there is one
                return str(asked.get("FunctionName", self._recorder))
            case "sns" | "sqs":  # an ARN, a URL
                name = named.split(":", 5)[-1].rpartition("/")[2]
                return name if self._is_ours(name) else None
            case "monitoring" if "AlarmNames" in asked:
                return str(*asked["AlarmNames"])
        return named.removeprefix("alias/").strip("/") or None
