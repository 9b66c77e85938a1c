"""A key of the deployment's own that cannot be used is one finding, about the key."""

from tests.support.removals import NOON, POLICY

from custody.core.ledger.kinds.keys import KeyAway, key_row


def test_the_finding_is_about_the_key_and_names_nobody():
    row = key_row(KeyAway("k-1", "KMS.DisabledException"), POLICY, time=POLICY.as_of)
    assert (row.verdict, row.bucket, row.object_key) == (
        "CONTROL_CHANGED",
        "AwsControl",
        "kms/key/k-1/state",
    )
    assert (row.event_time, row.principal_arn, row.pipeline_layer) == (NOON, None, "control")
    assert "KMS.DisabledException" in row.verdict_reason


def test_every_night_finds_the_same_one():
    first, again = (
        key_row(KeyAway("k-1", answer), POLICY, time=POLICY.as_of) for answer in ("a", "b")
    )
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != key_row(KeyAway("k-2", "a"), POLICY, time=POLICY.as_of).fingerprint
