from __future__ import annotations

import pytest

from localaws.protocol import AwsError, AwsRequest, AwsResponse, Caller, json_object

CALLER = Caller(
    "AKIA", "very secret", "token", "arn:aws:iam::1:user/a", "AIDA", "IAMUser", "1", "a"
)


def request(body: bytes, target: str | None) -> AwsRequest:
    return AwsRequest("POST", "/", {}, {}, body, target, CALLER, "us-east-1", "id", "127.0.0.1")


def test_a_request_knows_its_action_and_its_payload() -> None:
    asked = request(b'{"a": 1}', "AmazonAthena.GetWorkGroup")
    assert (asked.action, asked.json()) == ("GetWorkGroup", {"a": 1})
    dotted = request(b"", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrail")
    assert (dotted.action, dotted.json()) == ("GetTrail", {})
    assert request(b"", None).action == ""


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused_as_aws_does(body: bytes) -> None:
    with pytest.raises(AwsError) as refused:
        json_object(body)
    assert (refused.value.code, refused.value.status) == ("SerializationException", 400)


def test_an_error_is_told_in_the_json_protocol() -> None:
    answer = AwsResponse.error(AwsError("AccessDeniedException", "nö", 403))
    assert answer.status == 403
    assert answer.headers == {"content-type": "application/x-amz-json-1.1"}
    assert answer.body == '{"__type":"AccessDeniedException","message":"nö"}'.encode()


def test_secrets_are_not_printed() -> None:
    assert "secret" not in repr(CALLER)
    assert "token" not in repr(CALLER)
