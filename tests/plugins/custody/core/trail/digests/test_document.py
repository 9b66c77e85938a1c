"""Reading digests: AWS's own example, and everything that is not one."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.trail_history import NOON, History, MemoryStore, document_of

from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.digests.document import MAX_DIGEST_BYTES, parse_digest, signed_text

# After "CloudTrail digest file structure" in the user guide, with the hashes made up.
EXAMPLE: dict[str, Any] = {
    "awsAccountId": "111122223333",
    "digestStartTime": "2015-08-17T14:01:31Z",
    "digestEndTime": "2015-08-17T15:01:31Z",
    "digestS3Bucket": "amzn-s3-demo-bucket",
    "digestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/"
    "111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T150131Z.json.gz",
    "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
    "digestSignatureAlgorithm": "SHA256withRSA",
    "newestEventTime": "2015-08-17T14:52:27Z",
    "oldestEventTime": "2015-08-17T14:42:27Z",
    "previousDigestS3Bucket": "amzn-s3-demo-bucket",
    "previousDigestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/"
    "111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T140131Z.json.gz",
    "previousDigestHashValue": "97fb791cf91ffc440d274f8190dbdd9aa09c34432aba82739df18b6d3c13df2d",
    "previousDigestHashAlgorithm": "SHA-256",
    "previousDigestSignature": "50887ccffad4c002b97caa37cc9dc626c680207d41d27fa5835458e066e0d3652f",
    "logFiles": [
        {
            "s3Bucket": "amzn-s3-demo-bucket",
            "s3Object": "AWSLogs/111122223333/CloudTrail/us-east-2/2015/08/17/"
            "111122223333_CloudTrail_us-east-2_20150817T1445Z_9nYN7gp2eWAJHIfT.json.gz",
            "hashValue": "9bb6196fc6b84d6f075a56548feca262bd99ba3c2de41b618e5b6e22c1fc71f6",
            "hashAlgorithm": "SHA-256",
            "newestEventTime": "2015-08-17T14:52:27Z",
            "oldestEventTime": "2015-08-17T14:42:27Z",
        }
    ],
}


def parse(document: Any) -> Any:
    return parse_digest(json.dumps(document).encode())


def test_reads_the_example():
    digest = parse(EXAMPLE)
    assert digest.start == datetime(2015, 8, 17, 14, 1, 31, tzinfo=UTC)
    assert digest.end == datetime(2015, 8, 17, 15, 1, 31, tzinfo=UTC)
    assert digest.previous.signature == EXAMPLE["previousDigestSignature"]
    assert [log.key for log in digest.log_files] == [EXAMPLE["logFiles"][0]["s3Object"]]


def test_the_signed_text_is_four_lines():
    assert (
        signed_text(parse(EXAMPLE), "ab" * 32)
        == (
            f"2015-08-17T15:01:31Z\namzn-s3-demo-bucket/{EXAMPLE['digestS3Object']}\n{'ab' * 32}\n"
            f"{EXAMPLE['previousDigestSignature']}"
        ).encode()
    )


def test_a_starting_digest_signs_the_word_null():
    first = {name: None if name.startswith("previous") else v for name, v in EXAMPLE.items()}
    assert parse(first).previous is None
    assert signed_text(parse(first), "ab").endswith(b"\nab\nnull")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"digestSignatureAlgorithm": "SHA1withRSA"}, "digestSignatureAlgorithm"),
        ({"digestEndTime": "2015-08-17T15:01:31"}, "digestEndTime"),
        ({"digestEndTime": "2015-08-17T13:01:31Z"}, "digestEndTime"),
        ({"digestStartTime": 1439820091}, "digestStartTime"),
        ({"digestS3Bucket": "NOT A BUCKET"}, "digestS3Bucket"),
        ({"digestS3Object": "k" * 1025}, "digestS3Object"),
        ({"digestPublicKeyFingerprint": None}, "digestPublicKeyFingerprint"),
        ({"previousDigestSignature": None}, "previousDigestSignature"),
        ({"previousDigestSignature": "a" * 2049}, "previousDigestSignature"),
        ({"previousDigestHashAlgorithm": "MD5"}, "previousDigestHashAlgorithm"),
        ({"previousDigestHashValue": "XY"}, "previousDigestHashValue"),
        ({"logFiles": None}, "logFiles"),
        ({"logFiles": {}}, "logFiles"),
        ({"logFiles": [7]}, "logFiles[0]"),
        ({"logFiles": [EXAMPLE["logFiles"][0], {}]}, "logFiles[1].hashAlgorithm"),
        ({"logFiles": [{**EXAMPLE["logFiles"][0], "hashAlgorithm": "MD5"}]},
         "logFiles[0].hashAlgorithm"),
    ],
)  # fmt: skip
def test_names_the_field_at_fault(changes, field):
    with pytest.raises(MalformedInput) as caught:
        parse({**EXAMPLE, **changes})
    assert caught.value.field == field


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b'{"a":1,"a":1}', b"\xff"])
def test_refuses_what_is_no_document(raw):
    with pytest.raises(MalformedInput):
        parse_digest(raw)


def test_refuses_what_is_too_long():
    with pytest.raises(MalformedInput, match="longer than"):
        parse_digest(b" " * (MAX_DIGEST_BYTES + 1))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


@given(st.sampled_from([*EXAMPLE, "logFiles"]), values)
def test_no_value_of_any_field_makes_it_fail(name, value):
    with contextlib.suppress(MalformedInput):
        parse({**EXAMPLE, name: value})


@given(st.sampled_from(list(EXAMPLE["logFiles"][0])), values)
def test_no_value_of_a_log_file_makes_it_fail(name, value):
    with contextlib.suppress(MalformedInput):
        parse({**EXAMPLE, "logFiles": [{**EXAMPLE["logFiles"][0], name: value}]})


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_make_it_fail(raw):
    with contextlib.suppress(MalformedInput):
        parse_digest(raw)


def test_the_histories_of_these_tests_have_every_field_of_the_example():
    history = History(MemoryStore()).hours(2)
    document = document_of(history.store.current(history.digests[1]))
    assert set(document) == set(EXAMPLE)
    assert parse(document).start == NOON.replace(hour=13)
