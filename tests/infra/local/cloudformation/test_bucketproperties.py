from __future__ import annotations

from typing import Any

import pytest

from localaws.cloudformation.bucketproperties import (
    Configuration,
    UnsupportedPropertyError,
    configurations,
)


def test_what_ministack_sets_itself_is_left_to_it() -> None:
    assert configurations({"BucketName": "b", "VersioningConfiguration": {}, "Tags": []}) == []


def test_templates_are_put_into_the_words_of_the_api() -> None:
    properties = {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
                    "BucketKeyEnabled": "true",
                    "ServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": "k",
                    },
                }
            ]
        },
        "ObjectLockEnabled": "true",
        "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": "3"}},
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {
            "Rules": [
                {
                    "Id": "r",
                    "Status": "Enabled",
                    "ExpirationInDays": "7",
                    "NoncurrentVersionExpiration": {"NoncurrentDays": "1"},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
                }
            ]
        },
        "ReplicationConfiguration": {
            "Role": "r",
            "Rules": [
                {
                    "Id": "second-region",
                    "Priority": "1",
                    "Status": "Enabled",
                    "Destination": {
                        "Bucket": "arn:aws:s3:::b",
                        "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": "15"}},
                    },
                }
            ],
        },
    }
    encryption = {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms",
                    "KMSMasterKeyID": "k",
                },
                "BucketKeyEnabled": True,
                "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
            }
        ]
    }
    lock = {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3}},
    }
    rule = {
        "ID": "r",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 7},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
    }
    copying = {
        "ID": "second-region",
        "Priority": 1,
        "Status": "Enabled",
        "Destination": {
            "Bucket": "arn:aws:s3:::b",
            "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
        },
    }
    assert configurations(properties) == [
        Configuration("PutBucketEncryption", {"ServerSideEncryptionConfiguration": encryption}),
        Configuration("PutObjectLockConfiguration", {"ObjectLockConfiguration": lock}),
        Configuration(
            "PutBucketOwnershipControls",
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        ),
        Configuration(
            "PutBucketLifecycleConfiguration", {"LifecycleConfiguration": {"Rules": [rule]}}
        ),
        Configuration(
            "PutBucketReplication",
            {"ReplicationConfiguration": {"Role": "r", "Rules": [copying]}},
        ),
    ]


def test_a_lock_without_a_rule_is_still_a_lock() -> None:
    assert configurations({"ObjectLockEnabled": True}) == [
        Configuration(
            "PutObjectLockConfiguration",
            {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
        )
    ]
    assert configurations({"ObjectLockEnabled": False}) == []


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"AccelerateConfiguration": {}}, "AccelerateConfiguration"),
        (
            {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Transitions": []}]}},
            "Transitions",
        ),
        (
            {"BucketEncryption": {"ServerSideEncryptionConfiguration": [{"Extra": 1}]}},
            "Extra",
        ),
    ],
)
def test_what_nobody_would_set_is_refused_by_name(properties: dict[str, Any], named: str) -> None:
    with pytest.raises(UnsupportedPropertyError, match=named):
        configurations(properties)
