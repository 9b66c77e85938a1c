"""JSON functions."""

from __future__ import annotations

from dataclasses import replace

from localaws.athena import casts, json_text, types
from localaws.athena.errors import QueryError
from localaws.athena.expression import Expr, build
from localaws.athena.functions.calls import Call
from localaws.athena.functions.registry import handles
from localaws.athena.types import BIGINT, JSON, VARCHAR

_INPUTS = (JSON, VARCHAR)


def _json_path(call: Call) -> Expr:
    """The second argument, checked now if it is a literal."""
    path = call.arg(1, VARCHAR)
    if isinstance(path.literal, str):
        try:
            json_text.path_keys(path.literal)
        except ValueError as error:
            code, _, message = str(error).partition(": ")
            raise QueryError(code, message) from error
        return path
    return replace(path, fallible=True)


def _json_document(call: Call) -> Expr:
    if call.args and call.args[0].type in (*_INPUTS, types.UNKNOWN):
        document = call.args[0]
        return casts.coerce(document, VARCHAR) if document.type == types.UNKNOWN else document
    raise call.mismatch(f"{call.name}(varchar(x), JsonPath), {call.name}(json, JsonPath)")


@handles("json_extract_scalar")
def _json_extract_scalar(call: Call) -> Expr:
    call.count(2)
    return build("t_json_extract_scalar({}, {})", VARCHAR, _json_document(call), _json_path(call))


@handles("json_extract")
def _json_extract(call: Call) -> Expr:
    call.count(2)
    return build("t_json_extract({}, {})", JSON, _json_document(call), _json_path(call))


@handles("json_size")
def _json_size(call: Call) -> Expr:
    call.count(2)
    return build("t_json_size({}, {})", BIGINT, _json_document(call), _json_path(call))
