"""Which functions there are."""

from __future__ import annotations

from collections.abc import Callable

from localaws.athena.errors import not_supported
from localaws.athena.expression import Expr
from localaws.athena.functions.calls import Call
from localaws.athena.functions.signatures import by_signature, is_listed

Handler = Callable[[Call], Expr]

_HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a handler for functions of these names (lower case)."""

    def add(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return add


def call_function(call: Call) -> Expr:
    """The expression of a scalar call; raises QueryError for what is unknown or does not fit."""
    handler = _HANDLERS.get(call.name)
    found = handler(call) if handler else by_signature(call)
    if found is None:
        raise not_supported(f"the function '{call.name}'", call.position)
    return found


def is_known(name: str) -> bool:
    """Whether a scalar function of this name is on the list."""
    return name in _HANDLERS or is_listed(name)
