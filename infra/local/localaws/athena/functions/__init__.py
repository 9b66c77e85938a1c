"""Trino's scalar functions, each with its DuckDB equivalent.

This is an allow-list: what is not here is refused. A function is here only where its result is
the same for every argument, NULLs, edges and errors included.
"""

from localaws.athena.functions import conditions, documents, numeric
from localaws.athena.functions.calls import Call, Translator, unified
from localaws.athena.functions.moments import at_utc, extract_field
from localaws.athena.functions.nested import LAMBDA_FUNCTIONS, subscript
from localaws.athena.functions.registry import call_function, is_known
from localaws.athena.functions.texts import concatenate

# Imported so that their functions are registered.
_REGISTERED = (conditions, documents, numeric)

__all__ = [
    "LAMBDA_FUNCTIONS",
    "Call",
    "Translator",
    "at_utc",
    "call_function",
    "concatenate",
    "extract_field",
    "is_known",
    "subscript",
    "unified",
]
