"""Objects of partitions: found, fetched once, asked about every time."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.athena.errors import Cancelled, QueryError
from localaws.athena.tables.storage import Location, ObjectStore


class Body(io.BytesIO):
    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield self.getvalue()


class Bucket:
    """An S3 client of one bucket; `calls` are the requests made, `hidden` may not be listed."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = {key.replace("__", "/"): body for key, body in objects.items()}
        self.calls: list[str] = []
        self.hidden: frozenset[str] = frozenset()

    def get_paginator(self, operation: str) -> Bucket:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **call: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(f"LIST {call['Prefix']}")
        if call["Prefix"] in self.hidden:
            raise refusal("AccessDenied", 403)
        found = [
            {
                "Key": key,
                "Size": len(body),
                "ETag": f'"{hash(body)}"',
                "LastModified": datetime(2026, 1, 1),  # noqa: DTZ001
            }
            for key, body in sorted(self.objects.items())
            if key.startswith(call["Prefix"])
        ]
        yield {"Contents": found[:1]}
        yield {"Contents": found[1:]}

    def get_object(self, **call: Any) -> dict[str, Any]:
        body = self.objects[call["Key"]]
        self.calls.append(f"GET {call['Key']}")
        return {"Body": Body(body), "ETag": f'"{hash(body)}"'}


def refusal(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def store(bucket: Bucket, stop: threading.Event | None = None) -> ObjectStore:
    return ObjectStore(bucket, stop or threading.Event())


def test_what_hive_does_not_see() -> None:
    bucket = Bucket(p__a=b"1", p___SUCCESS=b"1", p__sub__b=b"1", pq=b"1")
    bucket.objects |= {"p/.hidden": b"1", "p/_temporary/c": b"1", "p/empty": b"", "p/": b""}
    found = store(bucket).below_each([Location.parse("s3://bucket/p")])[0]
    assert [one.uri for one in found] == ["s3://bucket/p/a", "s3://bucket/p/sub/b"]


def days(count: int) -> list[Location]:
    return [Location.parse(f"s3://bucket/t/dt=2026-01-{day:02}") for day in range(1, count + 1)]


def test_many_partitions_are_listed_at_once() -> None:
    bucket = Bucket()
    bucket.objects = {f"t/dt=2026-01-{day:02}/{n}": b"x" for day in (1, 3, 9) for n in (1, 2)}
    bucket.objects["t/dt=2026-01-010/1"] = b"x"
    found = store(bucket).below_each(days(9))
    assert [len(one) for one in found] == [2, 0, 2, 0, 0, 0, 0, 0, 2]
    assert bucket.calls == ["LIST t/dt=2026-01-0"]


def test_a_stopped_query_reads_no_further(tmp_path: Path) -> None:
    stop = threading.Event()
    own = store(Bucket(p__a=b"x"), stop)
    listed = own.below_each([Location.parse("s3://bucket/p")])[0]
    stop.set()
    with pytest.raises(Cancelled):
        own.fetch(listed, tmp_path)


@pytest.mark.parametrize("uri", ["/x", "s3://", "http://b/x", "s3:/b/x"])
def test_what_is_no_location(uri: str) -> None:
    with pytest.raises(QueryError, match="is not an s3:// path"):
        Location.parse(uri)
