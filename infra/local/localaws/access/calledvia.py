"""`aws:CalledVia`: which service calls S3 for a principal.

AWS's Athena reads and writes as its caller, and a policy can ask whether it was Athena ("Use
CalledVia context keys for Athena" in Athena's user guide). Here a header says so, with a word that
only this process knows.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Any, Final

_HEADER: Final = "x-localaws-called-via"
_WORD: Final = secrets.token_urlsafe(32)


def mark(s3: Any, service: str) -> None:
    """Have every request of a client of S3 say that a service makes it for its caller."""

    def add(request: Any, **_: object) -> None:
        request.headers[_HEADER] = f"{_WORD} {service}"

    s3.meta.events.register("before-sign.s3", add)


def called_via(headers: Mapping[str, str]) -> dict[str, list[str]]:
    """The condition key of a request with these headers (lower case); empty if it is direct."""
    word, _, service = headers.get(_HEADER, "").partition(" ")
    if not hmac.compare_digest(word.encode(), _WORD.encode()):
        return {}
    return {"aws:calledvia": [service]}
