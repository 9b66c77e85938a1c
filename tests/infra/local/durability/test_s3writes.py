from __future__ import annotations

import pytest

from localaws.durability.s3writes import Write
from localaws.server.wire import Head


def head(method: str, path: str, query: bytes = b"") -> Head:
    return Head.of(
        {"type": "http", "method": method, "path": path, "query_string": query, "headers": []}
    )


@pytest.mark.parametrize(
    ("asked", "write"),
    [
        (("GET", "/b/k", b""), None),
        (("HEAD", "/b/k", b""), None),
        (("PUT", "/b", b""), None),
        (("PUT", "/b/", b"policy"), None),
        (("PUT", "/b/a/b c", b"x-id=PutObject"), Write("object", "b", ("a/b c",))),
        (("POST", "/b/k", b"uploadId=1"), Write("object", "b", ("k",))),
        (("DELETE", "/b/k", b"versionId=1"), Write("object", "b", ("k",))),
        (("PUT", "/b/k", b"retention"), Write("lock", "b", ("k",))),
        (("PUT", "/b/k", b"legal-hold&versionId=1"), Write("lock", "b", ("k",))),
        (("POST", "/b", b"delete"), Write("batch", "b", ())),
        (("POST", "/b/", b"delete"), Write("batch", "b", ())),
    ],
)
def test_a_write_is_known_by_its_request(
    asked: tuple[str, str, bytes], write: Write | None
) -> None:
    assert Write.of(head(*asked)) == write


@pytest.mark.parametrize("namespace", [b"", b' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_a_batch_delete_names_its_keys(namespace: bytes) -> None:
    body = (
        b"<Delete%s><Object><Key>b &amp; c</Key></Object>"
        b"<Object><Key>a</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>"
    ) % namespace
    assert Write("batch", "b", ()).with_keys(body).keys == ("a", "b & c")


def test_a_batch_delete_that_is_no_xml_is_left_to_be_refused() -> None:
    assert Write("batch", "b", ()).with_keys(b"<Delete") == Write("batch", "b", ())
