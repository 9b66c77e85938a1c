"""What the seal takes in."""

import hashlib
from datetime import UTC, datetime

from custody.aws.s3.listing import StoredVersion
from custody.aws.seal.content import record_entry
from custody.core.seal.entries import RecordEntry
from custody.objects import ObjectVersion

KEY = "provenance/incoming/dt=2026-11-01/x.json"


def test_a_record_is_sealed_by_the_hash_of_the_very_version(s3, provenance):
    first = s3.put_object(Bucket=provenance, Key=KEY, Body=b"first")["VersionId"]
    s3.put_object(Bucket=provenance, Key=KEY, Body=b"second")
    stored = StoredVersion(ObjectVersion(provenance, KEY, first), datetime(2026, 11, 1, tzinfo=UTC))
    assert record_entry(s3, stored) == RecordEntry(KEY, hashlib.sha256(b"first").hexdigest())
