"""Which keys a run trusted, in one hash: what an earlier run checked with others proves nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from custody.core.formats.canonical_json import canonical_json
from custody.core.formats.timestamps import format_utc
from custody.core.lineage.trust import LineageKeys
from custody.core.records.checking import TrustedKey


def trust_sha256(records: Mapping[str, TrustedKey], lineage: LineageKeys) -> str:
    """The SHA-256 of the public keys that records and lineage are believed by: each with its name
    and its period, or with the jobs that it signs for."""
    document = {
        "records": {
            name: [
                key.der.hex(),
                format_utc(key.valid_from),
                format_utc(key.valid_until) if key.valid_until else None,
            ]
            for name, key in records.items()
        },
        "lineage": {name: key.hex() for name, key in lineage.public_keys.items()},
        "builders": sorted(lineage.builders),
    }
    return hashlib.sha256(canonical_json(document)).hexdigest()
