"""What has been paged stays paged."""

import json

import pytest
from botocore.exceptions import ClientError
from tests.moto_aws import refusal

from custody.aws.pages import mark_paged, not_yet_paged
from custody.core.findings import Finding


def finding(fingerprint):
    return Finding("CONFLICT", "raw", "k", "v1", None, "2026-11-01T06:00:01Z", "why", fingerprint)


def test_marked_findings_are_not_new(s3, raw):
    findings = [finding(name) for name in ("f1", "f2", "f3")]
    assert not_yet_paged(s3, raw, findings) == findings
    mark_paged(s3, raw, ["f1", "f3"], '{"verdict": "CONFLICT"}')
    assert not_yet_paged(s3, raw, findings) == [finding("f2")]


def test_the_marker_holds_the_page(s3, raw):
    mark_paged(s3, raw, ["f1"], '{"key": "é"}')
    stored = s3.get_object(Bucket=raw, Key="pages/f1.json")
    assert json.load(stored["Body"]) == {"key": "é"}
    assert stored["ContentType"] == "application/json"


def test_not_being_allowed_to_look_is_not_new(s3, raw):
    s3.meta.events.register("before-call.s3.HeadObject", lambda **_: refusal("403", 403))
    with pytest.raises(ClientError, match="403"):
        not_yet_paged(s3, raw, [finding("f1")])
