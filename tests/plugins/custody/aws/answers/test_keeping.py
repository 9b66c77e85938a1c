"""Answers are written once, and whatever else lies among them is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.answers import FINDING, closed, signed, taken
from tests.support.moto_aws import KEY_ARN, REGION, make_bucket, signing_kms

from custody.aws.answers.keeping import AnswerConflict, Answers, keep_answer

PROVENANCE = "custody-test-provenance"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name=REGION)
        make_bucket(client, PROVENANCE)
        yield client


def keep(s3: Any, answer: Any) -> None:
    keep_answer(s3, signing_kms(), answer, key_arn=KEY_ARN, bucket=PROVENANCE)


def test_what_was_kept_is_read_and_what_was_not_signed_is_not(s3: Any) -> None:
    answers = Answers(signing_kms(), PROVENANCE, KEY_ARN)
    assert answers.since(s3, NOW.date()) == {}
    first, second = taken(at=NOW), closed(at=NOW + timedelta(seconds=1))
    for answer in (first, second):
        keep(s3, answer)
    s3.put_object(Bucket=PROVENANCE, Key=taken(at=NOW, finding="0" * 64).key, Body=signed(first))
    s3.put_object(Bucket=PROVENANCE, Key="provenance/answers/rubbish", Body=b"x")
    assert answers.since(s3, NOW.date()) == {FINDING: [first, second]}
    assert answers.since(s3, NOW.date() + timedelta(days=1)) == {}


def test_what_lies_over_an_answer_and_what_hides_it_change_nothing(s3: Any) -> None:
    answer = taken(at=NOW)
    keep(s3, answer)
    s3.put_object(Bucket=PROVENANCE, Key=answer.key, Body=b"forged")
    s3.delete_object(Bucket=PROVENANCE, Key=answer.key)
    answers = Answers(signing_kms(), PROVENANCE, KEY_ARN)
    assert answers.since(s3, NOW.date()) == {FINDING: [answer]}


def test_two_of_the_same_moment_are_not_taken_for_one(s3: Any) -> None:
    keep(s3, taken(at=NOW))
    with pytest.raises(AnswerConflict):
        keep(s3, closed(at=NOW))


def test_without_a_key_none_is_believed(s3: Any) -> None:
    keep(s3, taken(at=NOW))
    assert Answers(signing_kms(), PROVENANCE, "").since(s3, NOW.date()) == {}
