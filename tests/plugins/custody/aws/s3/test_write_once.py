"""An object is written once; who comes second is told so, and changes nothing."""

from custody.aws.s3.write_once import put_if_absent


def test_the_first_writes_and_the_second_changes_nothing(s3, provenance):
    assert put_if_absent(s3, provenance, "k", b"1")
    assert not put_if_absent(s3, provenance, "k", b"2")
    (version,) = s3.list_object_versions(Bucket=provenance)["Versions"]
    found = s3.get_object(Bucket=provenance, Key="k", VersionId=version["VersionId"])
    assert (found["Body"].read(), found["ContentType"]) == (b"1", "application/json")
