"""Whether the recorder's function is the one that was deployed: its code, what decides which code
runs, and what its queue starts.

The recorder signs what the other witness is compared with, and has no bundle to hold itself
against. Whoever judges has: the bundle that was deployed names the recorder's archive with its hash
(docs/adr/084-the-recorders-code-is-compared.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from custody.core.ledger import reasons
from custody.core.ledger.kinds.control_changes import standing_row
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow

HANDLER: Final = "recorder.handler.lambda_handler"
RUNTIME: Final = "python3.12"

_WITHHELD: Final = "it cannot be read"


@dataclass(frozen=True, slots=True)
class DeployedRecorder:
    """The function as it was deployed: its ARN and its queue's, the SHA-256 of its archive, its
    role, and what each of its variables may be (nothing: whatever was deployed). Any other variable
    may load code (`PYTHONPATH`, `AWS_LAMBDA_EXEC_WRAPPER`) or send its calls elsewhere
    (`AWS_ENDPOINT_URL`)."""

    arn: str
    queue_arn: str
    sha256: str | None
    role: str
    variables: Mapping[str, Collection[str]]

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class StandingRecorder:
    """The function as it stands since `changed_at`: the SHA-256 of its archive, the ARNs of its
    layers, its variables."""

    changed_at: datetime
    sha256: str
    handler: str
    runtime: str
    role: str
    layers: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A function (its ARN, with the version or alias that is named) that the recorder's queue
    starts, as it stands since `changed_at`."""

    function: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class _Difference:
    """An aspect in which the function is not as deployed, and since when, if that is known."""

    aspect: str
    told: str
    since: datetime | None = None


def recorder_rows(
    standing: StandingRecorder | None,
    subscriptions: Collection[Subscription] | None,
    deployed: DeployedRecorder,
    policy: Policy,
    *,
    start: datetime,
    last: datetime,
) -> Iterator[LedgerRow]:
    """A row for each aspect in which the function is not as deployed, dated between `start` and
    `last`; None for what is gone, or may not be read.

    What was changed within the grace is left to the next run: a deployment changes the function
    some minutes before it tells those who judge. Who did it is not known from that.
    """
    for found in (
        *_of_function(standing, deployed),
        *_of_subscriptions(subscriptions, deployed),
    ):
        since = found.since
        if since is None or since + policy.grace <= policy.as_of:
            yield standing_row(
                f"lambda/function/{deployed.name}/{found.aspect}",
                reasons.of_other_recorder(found.told),
                version="unknown" if since is None else f"since {since:%Y-%m-%dT%H:%M:%S}",
                time=min(max(since or last, start), last),
                policy=policy,
            )


def _of_function(
    standing: StandingRecorder | None, deployed: DeployedRecorder
) -> Iterator[_Difference]:
    if standing is None:
        yield _Difference("configuration", _WITHHELD)
        return
    if standing.sha256 != deployed.sha256:
        told = f"its code has the SHA-256 {standing.sha256}, that deployed {deployed.sha256}"
        yield _Difference("code", told, standing.changed_at)
    differing = [
        f"its {what} is {is_now or 'none'}"
        for what, is_now, should_be in (
            ("handler", standing.handler, HANDLER),
            ("runtime", standing.runtime, RUNTIME),
            ("role", standing.role, deployed.role),
            ("layer", ", ".join(standing.layers), ""),
        )
        if is_now != should_be
    ]
    differing += [
        f"its variable {name} is {standing.variables.get(name, 'missing')[:200]}"
        for name in sorted(standing.variables.keys() | deployed.variables)
        if not _is_deployed(name, standing.variables.get(name), deployed)
    ]
    if differing:
        yield _Difference("configuration", "; ".join(differing), standing.changed_at)


def _is_deployed(name: str, value: str | None, deployed: DeployedRecorder) -> bool:
    allowed = deployed.variables.get(name)
    return allowed is not None and value is not None and (not allowed or value in allowed)


def _of_subscriptions(
    subscriptions: Collection[Subscription] | None, deployed: DeployedRecorder
) -> Iterator[_Difference]:
    """An insider may have the queue start another function, or an older version of ours."""
    if subscriptions is None:
        yield _Difference("subscription", f"what its queue starts: {_WITHHELD}")
        return
    if not subscriptions:
        yield _Difference("subscription", "its queue starts nothing")
    for one in subscriptions:
        if one.function != deployed.arn:
            yield _Difference("subscription", f"its queue starts {one.function}", one.changed_at)
