"""Reading an object version: bounded, over broken connections, or not at all."""

import io

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError
from botocore.response import StreamingBody
from tests.support.moto_aws import make_bucket, refusal
from tests.support.s3_answers import BreakingBody, got

from custody.aws.s3.errors import ObjectAbsent
from custody.aws.s3.reading import (
    CHUNK_BYTES,
    exists,
    open_current,
    open_version,
    read_current,
    read_version,
)
from custody.objects import ObjectVersion


def put(s3, bucket, key, body=b"x", **how):
    stored = s3.put_object(Bucket=bucket, Key=key, Body=body, **how)
    return ObjectVersion(bucket, key, stored["VersionId"])


def test_a_version_is_opened_with_what_s3_says_of_it(s3, raw):
    first = put(s3, raw, "k", b"first", Metadata={"signature": "s"})
    put(s3, raw, "k", b"second")
    opened = open_version(s3, first)
    assert (opened.version, opened.size, opened.metadata) == (first, 5, {"signature": "s"})
    assert b"".join(opened.chunks) == b"first"


def test_the_current_version_says_which_it_is(s3, raw):
    put(s3, raw, "k", b"first")
    second = put(s3, raw, "k", b"second")
    assert open_current(s3, raw, "k").version == second
    found = read_current(s3, raw, "k", max_bytes=100)
    assert found is not None
    assert (found.version, found.body) == (second, b"second")


def test_an_object_without_versions_is_version_null(s3):
    bucket = make_bucket(s3, "custody-test-plain", versioned=False)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert open_current(s3, bucket, "k").version == ObjectVersion(bucket, "k", "null")
    assert read_version(s3, ObjectVersion(bucket, "k", "null"), max_bytes=1) == b"x"


@pytest.mark.parametrize(("max_bytes", "read"), [(9, 10), (10, 10), (11, 10), (3, 4)])
def test_one_byte_more_than_the_bound_is_read_and_none_after_it(s3, raw, max_bytes, read):
    version = put(s3, raw, "k", b"0123456789")
    assert read_version(s3, version, max_bytes=max_bytes) == b"0123456789"[:read]
    found = read_current(s3, raw, "k", max_bytes=max_bytes)
    assert found is not None
    assert found.body == b"0123456789"[:read]


def test_a_bounded_read_closes_the_connection(s3, raw):
    body = io.BytesIO(b"x" * (3 * CHUNK_BYTES))
    s3.meta.events.register(
        "before-call.s3.GetObject",
        lambda **_: got(StreamingBody(body, None), 3 * CHUNK_BYTES),
    )
    read_version(s3, ObjectVersion(raw, "k", "v"), max_bytes=10)
    assert body.closed


def test_a_deleted_object_is_absent(s3, raw):
    version = put(s3, raw, "k")
    marker = s3.delete_object(Bucket=raw, Key="k")["VersionId"]
    assert read_current(s3, raw, "k", max_bytes=1) is None
    assert not exists(s3, raw, "k")
    assert read_version(s3, version, max_bytes=1) == b"x"
    with pytest.raises(ObjectAbsent):
        open_version(s3, ObjectVersion(raw, "k", marker))


def test_an_object_that_never_was_is_absent(s3, raw):
    assert read_current(s3, raw, "k", max_bytes=1) is None
    assert not exists(s3, raw, "k")
    put(s3, raw, "k")
    assert exists(s3, raw, "k")
    with pytest.raises(ObjectAbsent, match="NoSuchVersion"):
        open_version(s3, ObjectVersion(raw, "k", "0" * 32))


@pytest.mark.parametrize(
    ("code", "status"), [("AccessDenied", 403), ("NoSuchBucket", 404), ("SlowDown", 503)]
)
def test_other_answers_are_raised(s3, raw, code, status):
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal(code, status))
    with pytest.raises(ClientError, match=code):
        read_current(s3, raw, "k", max_bytes=1)


def test_not_being_allowed_to_look_is_no_absence(s3, raw):
    s3.meta.events.register("before-call.s3.HeadObject", lambda **_: refusal("403", 403))
    with pytest.raises(ClientError, match="403"):
        exists(s3, raw, "k")


def breaking(s3, content, *, good):
    """Have S3's connections end after these many bytes each; what was asked for goes to a list."""
    asked, breaks = [], iter(good)

    def get(params, **_):
        headers = {name.lower(): value for name, value in params["headers"].items()}
        asked.append((headers.get("range"), headers.get("if-match"), params["query_string"]))
        rest = content[int(headers.get("range", "bytes=0-")[6:-1]) :]
        end = next(breaks, None)
        body = io.BytesIO(rest) if end is None else BreakingBody(rest, end)
        return got(StreamingBody(body, None), len(rest))

    s3.meta.events.register("before-call.s3.GetObject", get)
    return asked


def test_a_connection_that_breaks_off_is_resumed_where_it_ended(s3, raw):
    content = bytes(i % 251 for i in range(3 * CHUNK_BYTES))
    asked = breaking(s3, content, good=[CHUNK_BYTES + 7, CHUNK_BYTES + 7])
    assert b"".join(open_version(s3, ObjectVersion(raw, "k", "v")).chunks) == content
    version = {"versionId": "v"}
    assert asked == [
        (None, None, version),
        (f"bytes={CHUNK_BYTES + 7}-", '"e"', version),
        (f"bytes={2 * (CHUNK_BYTES + 7)}-", '"e"', version),
    ]


def test_the_current_version_is_resumed_as_the_version_it_is(s3, raw):
    asked = breaking(s3, b"0123456789", good=[4])
    found = read_current(s3, raw, "k", max_bytes=100)
    assert found is not None
    assert found.body == b"0123456789"
    assert asked == [(None, None, {}), ("bytes=4-", '"e"', {"versionId": "null"})]


def test_connections_that_bring_nothing_are_tried_twice_more(s3, raw):
    breaking(s3, b"0123456789", good=[5, 0, 0])
    assert read_version(s3, ObjectVersion(raw, "k", "v"), max_bytes=100) == b"0123456789"


def test_three_connections_in_a_row_that_bring_nothing_are_an_error(s3, raw):
    breaking(s3, b"0123456789", good=[5, 0, 0, 0])
    with pytest.raises(IncompleteReadError):
        read_version(s3, ObjectVersion(raw, "k", "v"), max_bytes=100)


class EndlessBody(io.BytesIO):
    """A body that must not be asked for more than it has: over HTTP, whoever does waits."""

    def read(self, size=-1):
        found = super().read(size)
        assert found, "asked behind the end"
        return found


def test_nothing_is_asked_for_behind_the_end(s3, raw):
    body = EndlessBody(b"0123456789")
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: got(body, 10))
    assert b"".join(open_version(s3, ObjectVersion(raw, "k", "v")).chunks) == b"0123456789"
    assert body.closed


class SilentBody:
    """A body of which no byte arrives in time."""

    def read(self, _):
        raise ReadTimeoutError(endpoint_url="s3")

    def close(self):
        pass


def test_a_read_that_always_times_out_is_raised(s3, raw):
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: got(SilentBody(), 10))
    with pytest.raises(ReadTimeoutError):
        read_version(s3, ObjectVersion(raw, "k", "v"), max_bytes=100)
