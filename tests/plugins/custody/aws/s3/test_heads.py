"""What the audit remembers is not forgotten because somebody hides it."""

from tests.support.s3_answers import encrypt_anew

from custody.aws.s3.heads import head_key, recall, remember


def versions(s3, bucket, key):
    found = s3.list_object_versions(Bucket=bucket, Prefix=key)
    return [version["VersionId"] for version in found.get("Versions", [])]


def test_nothing_is_remembered_at_first(s3, raw):
    assert recall(s3, raw, "seal") is None


def test_the_last_head_is_recalled(s3, raw):
    for head in (b"one", b"two"):
        remember(s3, raw, "seal", head)
        assert recall(s3, raw, "seal") == head
    remember(s3, raw, "sealed", b"another name")
    assert recall(s3, raw, "seal") == b"two"


def test_the_same_head_is_not_written_again(s3, raw):
    for _ in range(2):
        remember(s3, raw, "seal", b"one")
    assert len(versions(s3, raw, head_key("seal"))) == 1


def test_a_hidden_head_is_not_forgotten(s3, raw):
    remember(s3, raw, "seal", b"one")
    s3.delete_object(Bucket=raw, Key=head_key("seal"))
    assert recall(s3, raw, "seal") == b"one"
    remember(s3, raw, "seal", b"two")
    assert recall(s3, raw, "seal") == b"two"


def test_a_head_that_somebody_encrypted_anew_is_there_and_none_that_can_be_used(s3, raw):
    remember(s3, raw, "seal", b"one")
    encrypt_anew(s3, head_key("seal"))
    assert recall(s3, raw, "seal") == b""
