"""The table of contents of a case."""

import json
from typing import Any

import pytest

from custody.core.case.manifest import (
    KEYS,
    CaseDigest,
    CaseLog,
    CaseObject,
    CaseTrail,
    Filed,
    Manifest,
    Member,
)
from custody.core.formats.untrusted import MalformedInput
from custody.objects import ObjectVersion

GOLD = ObjectVersion("custody-gold", "gold/é.parquet", "v1")
RECORD = Filed("provenance/incoming/dt=2026-11-01/x.json", "records/1.json", "proofs/1.tlog-proof")
LINEAGE = Filed("provenance/lineage/dt=2026-11-01/y.json", "lineage/1.json", None)
MANIFEST = Manifest(
    "custody-provenance",
    (
        CaseObject(GOLD, (RECORD,), "content/1.bin"),
        CaseObject(ObjectVersion("custody-raw", "incoming/a", "v2"), (), None),
    ),
    (LINEAGE,),
    CaseTrail(
        "custody-trail",
        (CaseDigest("d", "digests/1.json.gz", {"signature": "00"}),),
        (CaseLog("l", "logs/1.json.gz"),),
    ),
    {
        name: Member("ab" * 32, 3)
        for name in (
            KEYS, "records/1.json", "proofs/1.tlog-proof", "lineage/1.json", "content/1.bin",
            "digests/1.json.gz", "logs/1.json.gz",
        )
    },
)  # fmt: skip


def changed(**fields: Any) -> bytes:
    """The manifest with top-level fields replaced, in its canonical form."""
    document = json.loads(MANIFEST.to_bytes()) | fields
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def test_what_is_written_is_read():
    assert Manifest.parse(MANIFEST.to_bytes()) == MANIFEST
    assert changed() == MANIFEST.to_bytes()


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "other"},
        {"objects": []},
        {"lineage": []},  # a member that nothing names
        {"members": {}},
        {"more": 1},
        {"lineage": [{"key": "k", "member": "../x"}]},
        {"lineage": [{"key": "k", "member": "manifest.json"}]},
        {"lineage": [{"key": "k", "member": "records/1.json"}]},  # named twice
        {"trail": {"bucket": "custody-trail", "digests": [], "logs": []}},
    ],
)
def test_a_manifest_that_says_something_else_than_its_members_is_refused(fields):
    with pytest.raises(MalformedInput):
        Manifest.parse(changed(**fields))


def test_only_the_canonical_form_is_read():
    with pytest.raises(MalformedInput, match="canonical"):
        Manifest.parse(MANIFEST.to_bytes() + b"\n")
