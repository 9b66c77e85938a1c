"""JSON in the one form that is hashed and signed: names sorted, no spaces, UTF-8."""

from __future__ import annotations

import json
from collections.abc import Mapping


def canonical_json(document: Mapping[str, object]) -> bytes:
    """The bytes of a document; raises `TypeError` for what is no JSON value."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode("utf-8")
