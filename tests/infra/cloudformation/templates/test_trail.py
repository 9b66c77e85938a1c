"""The trail sees all that it must, and outlives its stack."""

from __future__ import annotations

from tests.infra.cloudformation.templates.loaded import (
    LOADED,
    RESOURCES,
    plain,
)


def test_the_trail_sees_who_takes_roles_and_changes_settings() -> None:
    """Every write, those of KMS too; of reads, among which is taking a role, all but KMS's."""
    selectors = LOADED["trail"]["Resources"]["Trail"]["Properties"]["AdvancedEventSelectors"]
    management = {"Field": "eventCategory", "Equals": ["Management"]}
    writes, reads = (
        [field for field in selector["FieldSelectors"] if field != management]
        for selector in selectors
        if management in selector.get("FieldSelectors", [])
    )
    assert writes == [{"Field": "readOnly", "Equals": ["false"]}]
    assert reads == [
        {"Field": "readOnly", "Equals": ["true"]},
        {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
    ]


def test_an_organizations_trail_is_a_switch() -> None:
    trail = LOADED["trail"]["Resources"]["Trail"]["Properties"]
    switch = ["LogsOrganization", True, {"Ref": "AWS::NoValue"}]
    assert trail["IsOrganizationTrail"] == {"Fn::If": switch}
    policy = LOADED["witnesses"]["Resources"]["TrailPolicy"]["Properties"]["PolicyDocument"]
    (organization,) = [s["Fn::If"] for s in policy["Statement"] if "Fn::If" in s]
    condition, delivers, _ = organization
    assert condition == "LogsOrganization"
    assert plain(delivers["Resource"]).endswith("${Trail}/AWSLogs/${OrganizationId}/*")
    (own,) = [s for s in policy["Statement"] if s.get("Sid") == "CloudTrailDelivers"]
    assert delivers["Condition"]["StringEquals"] == {
        **own["Condition"]["StringEquals"],
        "aws:SourceOrgID": {"Ref": "OrganizationId"},
    }


def test_deleting_the_stack_does_not_end_the_trail() -> None:
    trail = LOADED["trail"]["Resources"]["Trail"]
    assert trail["DeletionPolicy"] == "RetainExceptOnCreate"
    assert trail["UpdateReplacePolicy"] == "Retain"


def test_the_trail_sees_every_bucket_and_signs_its_digests() -> None:
    trail = LOADED["trail"]["Resources"]["Trail"]["Properties"]
    assert (trail["EnableLogFileValidation"], trail["IsLogging"]) == (True, True)
    writes = trail["AdvancedEventSelectors"][0]["FieldSelectors"]
    arn = next(field for field in writes if field["Field"] == "resources.ARN")
    assert arn["StartsWith"] == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::${Project}-${Stage}-"}]
    for stack, _, resource in RESOURCES:
        if resource["Type"] == "AWS::S3::Bucket":
            name = plain(resource["Properties"]["BucketName"])
            assert name.startswith("${Project}-${Stage}-"), stack
