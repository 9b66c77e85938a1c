"""The last link of the chain of runs is the one that the job signed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.support.moto_aws import make_bucket
from tests.support.s3_answers import encrypt_anew

from custody.aws.chain import keep_link, last_link, signed_by, whoever_signed
from custody.aws.s3.errors import ObjectWithheld
from custody.core.ledger.hours.chain import Reached
from custody.core.ledger.hours.links import Link
from custody.core.tlog.signed_note import NoteKey, NoteSigner

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def signer():
    private = Ed25519PrivateKey.generate()
    return NoteSigner(NoteKey("log", private.public_key().public_bytes_raw()), private.sign)


OWN, OTHER = signer(), signer()


@pytest.fixture
def bucket(s3):
    return make_bucket(s3, "custody-test-analytics")


def link(hours, run_id="jr_1"):
    at = NOON + hours * HOUR
    return Link(run_id, at, at - 4 * HOUR, at, Reached(at, at, at - 4 * HOUR), None)


def last(s3, bucket, hours=100, opened=None):
    return last_link(s3, bucket, as_of=NOON + hours * HOUR, opened=opened or signed_by(OWN.key))


def test_the_last_is_found_over_days(s3, bucket):
    assert last(s3, bucket) is None
    for hours in (0, 1, 20, 13):
        keep_link(s3, bucket, link(hours), OWN)
    assert last(s3, bucket) == link(20)
    assert last(s3, bucket, hours=19) == link(13)
    assert last(s3, bucket, opened=whoever_signed) == link(20)


def test_a_link_is_written_once(s3, bucket):
    keep_link(s3, bucket, link(0), OWN)
    other = replace(link(0), reached=Reached.nothing(NOON))
    keep_link(s3, bucket, other, OWN)
    assert last(s3, bucket) == link(0)


def test_what_the_job_did_not_sign_moves_nothing(s3, bucket):
    keep_link(s3, bucket, link(0), OWN)
    keep_link(s3, bucket, link(2, "jr_forged"), OTHER)
    honest = s3.get_object(Bucket=bucket, Key=link(0).key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=link(3).key, Body=honest)  # an honest one, under another name
    s3.put_object(Bucket=bucket, Key=link(4).key, Body=b"rubbish")
    s3.put_object(Bucket=bucket, Key=link(5).key, Body=b"\xff\n\n")
    assert last(s3, bucket) == link(0)
    # Who only proposes believes what lies there, but for what is no link.
    assert last(s3, bucket, opened=whoever_signed) == link(2, "jr_forged")


def test_a_link_that_somebody_encrypted_anew_does_not_stop_the_runs(s3, bucket):
    """What he did to it is in the trail; the hours since the one before are judged once more."""
    for hours in (0, 1):
        keep_link(s3, bucket, link(hours), OWN)
    encrypt_anew(s3, link(1).key)
    assert last(s3, bucket) == link(0)
    encrypt_anew(s3, link(0).key)
    with pytest.raises(ObjectWithheld):  # else the chain would begin anew, and leave hours out
        last(s3, bucket)
