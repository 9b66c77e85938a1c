"""Who called, in whose name, and what a caller may say of itself."""

from __future__ import annotations

import itertools

import pytest

from custody.core.formats.untrusted import MAX_TEXT, Fields, MalformedInput
from custody.core.trail.principals import Principal, better_known, caller_text, read_principal

GLUE = {
    "type": "AssumedRole",
    "principalId": "AROAGLUE:job",
    "arn": "arn:aws:sts::1:assumed-role/glue/job",
    "accessKeyId": "ASIA1",
    "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::1:role/glue"}},
}


def test_a_session_has_a_role_and_a_key() -> None:
    assert read_principal(Fields(GLUE, "userIdentity")) == Principal(
        arn="arn:aws:sts::1:assumed-role/glue/job",
        type="AssumedRole",
        id="AROAGLUE:job",
        role_arn="arn:aws:iam::1:role/glue",
        access_key_id="ASIA1",
    )


def test_only_aws_itself_is_a_service() -> None:
    """A call that a service makes for somebody is somebody's."""
    service = {"type": "AWSService", "invokedBy": "glue.amazonaws.com"}
    assert read_principal(Fields(service, "")).is_service
    for_somebody = {**GLUE, "invokedBy": "athena.amazonaws.com"}
    assert not read_principal(Fields(for_somebody, "")).is_service


def test_a_key_of_the_wrong_type_is_named() -> None:
    with pytest.raises(MalformedInput, match=r"userIdentity\.accessKeyId"):
        read_principal(Fields({**GLUE, "accessKeyId": 7}, "userIdentity"))


def test_remarks_are_cut_and_never_refused() -> None:
    said = {"userAgent": "x" * 2 * MAX_TEXT, "sourceIPAddress": "\ud800"}
    assert caller_text(Fields(said, ""), "userAgent") == "x" * MAX_TEXT
    assert caller_text(Fields(said, ""), "sourceIPAddress") == "?"
    assert caller_text(Fields(said, ""), "nothing") is None


PRINCIPALS = [
    Principal("AIDA", None, "AIDA", None),
    Principal("arn:x", "AssumedRole", "AIDA", None),
    Principal("arn:x", "AssumedRole", "AIDA", "arn:role"),
]


@pytest.mark.parametrize("order", list(itertools.permutations(PRINCIPALS)))
def test_a_principal_is_known_by_his_fullest_description(order: tuple[Principal, ...]) -> None:
    one, two, three = order
    assert better_known(better_known(one, two), three) == PRINCIPALS[2]
