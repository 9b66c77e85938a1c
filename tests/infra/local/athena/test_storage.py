"""Objects of partitions, found and fetched."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.athena.errors import Cancelled, QueryError
from localaws.athena.tables.storage import Location, ObjectStore


class Body(io.BytesIO):
    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield self.getvalue()


class Bucket:
    """An S3 client of one bucket."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = {key.replace("__", "/"): body for key, body in objects.items()}

    def get_paginator(self, operation: str) -> Bucket:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **call: Any) -> Iterator[dict[str, Any]]:
        found = [
            {
                "Key": key,
                "Size": len(body),
            }
            for key, body in sorted(self.objects.items())
            if key.startswith(call["Prefix"])
        ]
        yield {"Contents": found[:1]}
        yield {"Contents": found[1:]}

    def get_object(self, **call: Any) -> dict[str, Any]:
        body = self.objects[call["Key"]]
        return {"Body": Body(body)}


def store(bucket: Bucket, stop: threading.Event | None = None) -> ObjectStore:
    return ObjectStore(bucket, stop or threading.Event())


def test_what_hive_does_not_see() -> None:
    bucket = Bucket(p__a=b"1", p___SUCCESS=b"1", p__sub__b=b"1", pq=b"1")
    bucket.objects |= {"p/.hidden": b"1", "p/_temporary/c": b"1", "p/empty": b"", "p/": b""}
    found = store(bucket).below(Location.parse("s3://bucket/p"))
    assert [one.uri for one in found] == ["s3://bucket/p/a", "s3://bucket/p/sub/b"]


def test_a_stopped_query_reads_no_further(tmp_path: Path) -> None:
    stop = threading.Event()
    own = store(Bucket(p__a=b"x"), stop)
    listed = own.below(Location.parse("s3://bucket/p"))
    stop.set()
    with pytest.raises(Cancelled):
        own.fetch(listed, tmp_path)


@pytest.mark.parametrize("uri", ["/x", "s3://", "http://b/x", "s3:/b/x"])
def test_what_is_no_location(uri: str) -> None:
    with pytest.raises(QueryError, match="is not an s3:// path"):
        Location.parse(uri)
