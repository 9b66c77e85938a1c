"""Many versions are hashed by Spark's workers, a few by who listed them: to the same end."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tests.support.landing_zone import RAW, MemoryS3

from custody.aws.s3.listing import list_current
from custody.spark import hashing
from custody.spark.hashing import hash_versions


@pytest.mark.parametrize("few", [32, 2])
def test_each_version_is_hashed_in_order(
    spark: Any, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(hashing, "_FEW", few)
    s3: Any = MemoryS3()
    bodies = {f"{n}.parquet": bytes([n]) * n for n in range(3)}
    for key, body in bodies.items():
        s3.put(RAW, key, body, "v1")

    found = hash_versions(spark.sparkContext, list_current(s3, RAW, ""), lambda: s3)

    assert [(item.version.key, item.sha256) for item in found] == [
        (key, hashlib.sha256(body).hexdigest()) for key, body in bodies.items()
    ]
