"""Other keys, other periods or other builders are other trust."""

from dataclasses import replace
from datetime import UTC, datetime

from custody.core.lineage.trust import LineageKeys
from custody.core.records.checking import TrustedKey
from custody.core.runs.trust import trust_sha256

KEY = TrustedKey("arn:now", b"public", datetime(2026, 11, 1, tzinfo=UTC), None)
LINEAGE = LineageKeys({"arn:lineage": b"public"}, frozenset({"job-a", "job-b"}))


def test_each_part_of_trust_counts() -> None:
    same = trust_sha256({"a": KEY}, LINEAGE)
    assert same == trust_sha256(
        {"a": KEY}, replace(LINEAGE, builders=frozenset(["job-b", "job-a"]))
    )
    others = [
        ({"b": KEY}, LINEAGE),
        ({"a": replace(KEY, der=b"other")}, LINEAGE),
        ({"a": replace(KEY, valid_until=datetime(2026, 11, 2, tzinfo=UTC))}, LINEAGE),
        ({"a": replace(KEY, valid_from=datetime(2026, 11, 2, tzinfo=UTC))}, LINEAGE),
        ({"a": KEY}, replace(LINEAGE, builders=frozenset({"job-a"}))),
        ({"a": KEY}, replace(LINEAGE, public_keys={})),
    ]
    assert len({same, *(trust_sha256(*other) for other in others)}) == len(others) + 1
