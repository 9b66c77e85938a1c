"""What a call does, and the words in which the tables say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class CallKind(StrEnum):
    """What a call does to what the platform consists of."""

    WRITE = "write"
    REMOVAL = "removal"
    ALTERS_IN_PLACE = "alters in place"
    """Changes what is stored beside a version's bytes, or how; it stays that version."""
    CHANGES_A_CONTROL = "changes a control"
    READ = "read"
    NO_CONCERN = "no concern"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a service.

    Of a call that changes a control, `thing` says what kind of thing it is about (`role`), `aspect`
    what of it (`policy`; empty for the thing as a whole), and `named_by` in which parameters, or
    parts of the answer, the thing is named: none if the account has but one.
    """

    kind: CallKind
    thing: str = ""
    aspect: str = ""
    named_by: tuple[str, ...] = ()


Operations = Mapping[str, Operation]
"""The operations of a service, by name."""

READING: Final = (
    "BatchDescribe",
    "BatchGet",
    "Describe",
    "Get",
    "List",
    "Lookup",
    "Search",
)
"""How the names of operations begin that only read: nobody need list them."""


ROLE_PARAMETER: Final = re.compile(r".*role(name|arn)?", re.IGNORECASE)
"""What the parameters are called by which a call gives a role to what it makes or starts: whoever
does so has a service work as that role, and nobody is seen taking it."""

USE: Final = "use"
"""The aspect of a role that is given to something."""


def each(kind: CallKind, names: str) -> Operations:
    """The operations of these names, which all are of one kind."""
    return {name: Operation(kind) for name in names.split()}


def changes(thing: str, named_by: str, names: str, aspect: str = "") -> Operations:
    """The operations of these names, which change a control."""
    parameters = tuple(named_by.split())
    operation = Operation(CallKind.CHANGES_A_CONTROL, thing, aspect, parameters)
    return dict.fromkeys(names.split(), operation)


def gives_role(names: str) -> Operations:
    """The operations of these names, which concern nobody but for the role that they may give to
    what they make or start."""
    return changes("role", "", names, USE)


def reads(names: str) -> Operations:
    return each(CallKind.READ, names)


def no_concern(names: str) -> Operations:
    return each(CallKind.NO_CONCERN, names)
