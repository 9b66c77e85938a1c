"""What happens in a stack while it changes, and why it failed.

Watching shows every step as it happens and, when one fails, why, down to the nested stack.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.deployment.errors import DeployError, Interrupted
from infra.deployment.templates.reading import STACK

Event = Mapping[str, Any]

# AWS throttles DescribeStackEvents; the local AWS is done within seconds.
_FIRST_PAUSE_SECONDS: Final = 0.25
_LONGEST_PAUSE_SECONDS: Final = 5.0
# Something is said at least this often.
_QUIET_SECONDS: Final = 60.0
# An MWAA environment takes up to an hour, and is rolled back in as long again.
_DEADLINE_SECONDS: Final = 3 * 3600

_ENDS: Final = ("_COMPLETE", "_FAILED")


@dataclass(frozen=True)
class End:
    """How a change of a stack ended."""

    status: str
    reasons: tuple[str, ...]
    """Why, where it failed."""


@dataclass(frozen=True)
class Watch:
    """Watches the stacks of one region."""

    cloudformation: Any
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep

    def seen(self, stack: str) -> set[str]:
        """The events there are: take this before a change, and hand it to `until_over`."""
        return {event["EventId"] for event in self._events(stack)}

    def seen_before_running(self, stack: str) -> set[str]:
        """The events of before the change that is under way, or just ended."""
        events = self._events(stack)
        ends = [at for at, event in enumerate(events) if _own(event) and _over(event)]
        # The newest event may be the end of the change that was just seen under way.
        before = next((at for at in ends if at > 0), len(events))
        return {event["EventId"] for event in events[before:]}

    def until_over(self, stack: str, seen: set[str]) -> End:
        """Show what happens until it is over; `seen` are the events of before.

        The stack's own events say whether it is over: its status may for a moment still be the
        one from before the change.

        Raises:
            Interrupted: Ctrl-C; the change goes on in AWS, and the message says how to go on.
            DeployError: it is not over after hours.
        """
        try:
            return self._until_over(stack, seen)
        except KeyboardInterrupt as error:
            raise Interrupted(
                f"interrupted, but {_name(stack)} goes on changing in AWS. Run the same command "
                "again to watch it and to go on; to stop an update instead: aws cloudformation "
                f"cancel-update-stack --stack-name {_name(stack)}"
            ) from error

    def _until_over(self, stack: str, seen: set[str]) -> End:
        pause, deadline = _FIRST_PAUSE_SECONDS, time.monotonic() + _DEADLINE_SECONDS
        events: list[Event] = []
        started = spoke = time.monotonic()
        while time.monotonic() < deadline:
            for event in reversed([e for e in self._events(stack) if e["EventId"] not in seen]):
                seen.add(event["EventId"])
                events.append(event)
                self.say(f"{_name(stack)}: {_line(event)}")
                spoke = time.monotonic()
                if _own(event) and _over(event):
                    return End(event["ResourceStatus"], tuple(self.reasons(events)))
            if time.monotonic() - spoke > _QUIET_SECONDS:
                spoke = time.monotonic()
                self.say(f"{_name(stack)}: goes on, since {(spoke - started) / 60:.0f} min")
            self.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
        raise DeployError(
            f"{_name(stack)} is not done after {_DEADLINE_SECONDS // 3600} hours; look at it in "
            "AWS, then run the same command again: it goes on watching"
        )

    def reasons(self, events: list[Event]) -> list[str]:
        """Why resources failed: a nested stack's own resources instead of the nested stack."""
        return list(dict.fromkeys(self._reasons(events)))

    def reasons_of(self, stack: str) -> list[str]:
        """Why resources of a stack failed, of all that is remembered of it."""
        return self.reasons(list(reversed(self._events(stack))))

    def _reasons(self, events: list[Event]) -> Iterator[str]:
        for event in events:
            reason = event.get("ResourceStatusReason", "")
            if not event.get("ResourceStatus", "").endswith("_FAILED") or "cancelled" in reason:
                continue
            # A stack also reports itself, as a resource of its own.
            nested = event.get("PhysicalResourceId", event["StackId"])
            inner: list[str] = []
            if event.get("ResourceType") == STACK and nested not in ("", event["StackId"]):
                inner = list(self._reasons(self._events(nested)))
            yield from inner or [_line(event)]

    def _events(self, stack: str) -> list[Event]:
        """The stack's newest events, newest first (one page is more than one deployment has)."""
        events: list[Event] = self.cloudformation.describe_stack_events(StackName=stack)[
            "StackEvents"
        ]
        return events


def _own(event: Event) -> bool:
    return bool(event.get("PhysicalResourceId") == event["StackId"])


def _over(event: Event) -> bool:
    status: str = event.get("ResourceStatus", "")
    return status.endswith(_ENDS)


def _name(stack: str) -> str:
    """A stack's name, of its name or its ARN."""
    return stack.split("/")[1] if stack.startswith("arn:") else stack


def _line(event: Event) -> str:
    reason = event.get("ResourceStatusReason")
    return " ".join(
        [event["LogicalResourceId"], event["ResourceStatus"], *([f"({reason})"] if reason else [])]
    )
