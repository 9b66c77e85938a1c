"""How the files of a day are shared out among readers."""

from __future__ import annotations

import pytest
from tests.support.landing_zone import LANDED_AT, RAW

from custody.aws.s3.listing import StoredVersion
from custody.objects import ObjectVersion
from custody.spark.silver.shares import packed, shared_out, unpacked

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("sizes", "shares"),
    [
        ([85_000] * 3, 1),  # a day of a few thousand rows: one reader has read it before two start
        ([1_000] * 10_000, 4),  # each file is asked for, and so is its record
        ([9 * MIB] * 12, 4),
        ([100 * MIB], 2),
    ],
)
def test_there_are_as_many_shares_as_are_worth_a_reader(sizes: list[int], shares: int) -> None:
    landed = [
        StoredVersion(ObjectVersion(RAW, f"{n}.csv", "v1"), LANDED_AT, '"e"', size)
        for n, size in enumerate(sizes)
    ]

    found = shared_out(landed, readers=2)

    assert len(found) == shares
    assert all(one.landed is landed[one.number] for share in found for one in share)
    parts = [(one.landed.version.key, one.part.number) for share in found for one in share]
    assert len(set(parts)) == len(parts)
    assert {key for key, _ in parts} == {one.version.key for one in landed}
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert [list(unpacked(packed(share))) for share in found] == found
