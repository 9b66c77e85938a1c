"""What a call that changes a control is about, as far as CloudTrail tells.

Which calls these are, and which parameters name the thing, is in `custody.core.calls`. CloudTrail
leaves parameters out that are long or secret: such a call has no names, and may be about anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from custody.core.calls.kinds import ROLE_PARAMETER, USE, CallKind
from custody.core.calls.table import operation_of, service_of
from custody.core.formats.untrusted import MAX_TEXT, Fields

MAX_NAMES: Final = 100
"""Things of one call. One about more may be about anything: whoever names many hides none."""

MAX_ASKED: Final = 500
"""Characters that are kept of what a call asked for."""

_MAX_DEPTH: Final = 6


@dataclass(frozen=True, slots=True)
class ControlChange:
    """A control that a call changed: a `thing` of a `service`, or an `aspect` of it.

    `names` are what the thing is called, None where CloudTrail left it out or where it is one of
    too many; none if the account has but one such thing. `asked` is the beginning of what the call
    asked for, as JSON. `roles` are the roles that the call gave to the thing.
    """

    service: str
    thing: str
    aspect: str
    names: tuple[str, ...] | None
    asked: str | None
    roles: tuple[str, ...] = ()


def changes_a_control(source: str, name: str, event: Fields) -> bool:
    """Whether a call changes a control; also one of a service of the table that nobody has looked
    at yet, unless CloudTrail calls it a read."""
    operation = operation_of(source, name)
    if operation is not None:
        return operation.kind is CallKind.CHANGES_A_CONTROL
    return service_of(source) is not None and event.values.get("readOnly") is False


def read_control_change(source: str, name: str, event: Fields, caller: str) -> ControlChange | None:
    """What the call of `event` changed; `caller` is the ARN of whoever made it. None if it could
    have given a role to something, and gave none.

    Of one that nobody has looked at yet, every text of its parameters may name a thing.
    """
    service, operation = service_of(source) or source, operation_of(source, name)
    request = event.values.get("requestParameters")
    asked = _asked(request) if isinstance(request, Mapping) else None
    if operation is None:
        texts = _bounded(_texts(request)) if asked is not None else None
        return ControlChange(service, "unknown thing", "", texts, asked)
    by_iam = operation.thing == "role" and operation.aspect != USE
    roles = () if by_iam else _bounded(_named(request, ROLE_PARAMETER))
    if operation.aspect == USE:
        if roles == () and asked is not None:
            return None
        return ControlChange(service, operation.thing, USE, roles or None, asked)
    names: tuple[str, ...] | None = ()
    if operation.named_by:
        of_thing = _one_of(operation.named_by)
        found = chain(
            _named(request, of_thing), _named(event.values.get("responseElements"), of_thing)
        )
        names = _bounded(found)
        if names == () and operation.thing == "user" and asked is not None:
            names = (caller,)  # IAM "determines the user name implicitly"
        names = names or _bounded(_named(event.values.get("resources"), _one_of(("ARN",)))) or None
    if roles is None:
        names = None
    return ControlChange(service, operation.thing, operation.aspect, names, asked, roles or ())


def _one_of(parameters: Sequence[str]) -> re.Pattern[str]:
    """The names of parameters, however the log of a service spells them."""
    return re.compile("|".join(map(re.escape, parameters)), re.IGNORECASE)


def _bounded(names: Iterable[str]) -> tuple[str, ...] | None:
    """Each of the names once; None if they are more than are read."""
    some = tuple(islice(dict.fromkeys(names), MAX_NAMES + 1))
    return some if len(some) <= MAX_NAMES else None


def _named(value: object, called: re.Pattern[str], depth: int = 0) -> Iterator[str]:
    """The texts under names of that kind, however deep they lie."""
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        for name, item in value.items():
            found = _texts(item) if called.fullmatch(name) else _named(item, called, depth + 1)
            yield from found
    elif isinstance(value, list) and depth < _MAX_DEPTH:
        for item in value:
            yield from _named(item, called, depth + 1)


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str) and value:
        yield _short(value)
    elif isinstance(value, Mapping | list) and depth < _MAX_DEPTH:
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item, depth + 1)


def _short(value: str) -> str:
    return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


def _asked(request: Mapping[str, object]) -> str:
    return _short(json.dumps(request, sort_keys=True, separators=(", ", ": ")))[:MAX_ASKED]
