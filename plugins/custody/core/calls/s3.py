"""Every operation of S3 and of S3 Control, under the names of the API.

CloudTrail has both under the event source `s3.amazonaws.com`, and some operations under a name of
its own (`LOGGED_AS`): "Amazon S3 CloudTrail events" in the S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from custody.core.calls.kinds import (
    CallKind,
    Operations,
    changes,
    each,
    gives_role,
    no_concern,
    reads,
)

_BUCKET: Final = "bucketName bucket"

_OBJECTS: Final[Operations] = {
    # PostObject is a browser's upload by a form, which no SDK has.
    **each(CallKind.WRITE, "PutObject PostObject CopyObject CompleteMultipartUpload"),
    **each(CallKind.REMOVAL, "DeleteObject DeleteObjects"),
    # Tags and annotations steer lifecycle rules and rights, an access control list gives rights, a
    # lock or another key decides who can still read or remove the version.
    **each(
        CallKind.ALTERS_IN_PLACE,
        """
        DeleteObjectAnnotation DeleteObjectTagging PutObjectAcl PutObjectAnnotation
        PutObjectLegalHold PutObjectRetention PutObjectTagging RenameObject UpdateObjectEncryption
        """,
    ),
    # Parts are no version before the upload is completed; a version that is fetched back from an
    # archive stays what it is.
    **no_concern(
        """
        AbortMultipartUpload CreateMultipartUpload CreateSession RestoreObject UploadPart
        UploadPartCopy WriteGetObjectResponse
        """
    ),
    **reads(
        """
        GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes GetObjectLegalHold
        GetObjectRetention GetObjectTagging GetObjectTorrent HeadObject ListMultipartUploads
        ListObjectAnnotations ListObjectVersions ListObjects ListObjectsV2 ListParts
        SelectObjectContent
        """
    ),
}

_BUCKETS: Final[Operations] = {
    **changes("bucket", _BUCKET, "DeleteBucketPolicy PutBucketPolicy", "policy"),
    **changes(
        "bucket",
        _BUCKET,
        "PutBucketNotification PutBucketNotificationConfiguration",
        "notifications",
    ),
    **changes(
        "bucket",
        _BUCKET,
        "DeleteBucketLifecycle PutBucketLifecycle PutBucketLifecycleConfiguration",
        "lifecycle rules",
    ),
    **changes("bucket", _BUCKET, "PutObjectLockConfiguration", "lock"),
    **changes("bucket", _BUCKET, "PutBucketVersioning", "versioning"),
    **changes("bucket", _BUCKET, "DeleteBucketEncryption PutBucketEncryption", "encryption"),
    **changes("bucket", _BUCKET, "DeleteBucketReplication PutBucketReplication", "replication"),
    **changes(
        "bucket",
        _BUCKET,
        """
        DeleteBucketOwnershipControls DeletePublicAccessBlock PutBucketAcl
        PutBucketOwnershipControls PutPublicAccessBlock
        """,
        "openness",
    ),
    **changes(
        "bucket",
        _BUCKET,
        """
        CreateBucket CreateBucketMetadataConfiguration CreateBucketMetadataTableConfiguration
        DeleteBucket DeleteBucketAnalyticsConfiguration DeleteBucketCors
        DeleteBucketIntelligentTieringConfiguration DeleteBucketInventoryConfiguration
        DeleteBucketMetadataConfiguration DeleteBucketMetadataTableConfiguration
        DeleteBucketMetricsConfiguration DeleteBucketTagging DeleteBucketWebsite PutBucketAbac
        PutBucketAccelerateConfiguration PutBucketAnalyticsConfiguration PutBucketCors
        PutBucketIntelligentTieringConfiguration PutBucketInventoryConfiguration PutBucketLogging
        PutBucketMetricsConfiguration PutBucketRequestPayment PutBucketTagging PutBucketWebsite
        UpdateBucketMetadataAnnotationTableConfiguration
        UpdateBucketMetadataInventoryTableConfiguration
        UpdateBucketMetadataJournalTableConfiguration
        """,
        "set-up",
    ),
    **reads(
        """
        GetBucketAbac GetBucketAccelerateConfiguration GetBucketAcl GetBucketAnalyticsConfiguration
        GetBucketCors GetBucketEncryption GetBucketIntelligentTieringConfiguration
        GetBucketInventoryConfiguration GetBucketLifecycle GetBucketLifecycleConfiguration
        GetBucketLocation GetBucketLogging GetBucketMetadataConfiguration
        GetBucketMetadataTableConfiguration GetBucketMetricsConfiguration GetBucketNotification
        GetBucketNotificationConfiguration GetBucketOwnershipControls GetBucketPolicy
        GetBucketPolicyStatus GetBucketReplication GetBucketRequestPayment GetBucketTagging
        GetBucketVersioning GetBucketWebsite GetObjectLockConfiguration GetPublicAccessBlock
        HeadBucket ListBucketAnalyticsConfigurations ListBucketIntelligentTieringConfigurations
        ListBucketInventoryConfigurations ListBucketMetricsConfigurations ListBuckets
        ListDirectoryBuckets
        """
    ),
}

S3: Final[Operations] = {**_OBJECTS, **_BUCKETS}
"""What botocore calls `s3`."""

_OF_BOTH: Final = (
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketPolicy",
    "DeleteBucketReplication",
    "DeleteBucketTagging",
    "DeletePublicAccessBlock",
    "PutBucketLifecycleConfiguration",
    "PutBucketPolicy",
    "PutBucketReplication",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutPublicAccessBlock",
)

# Access points and grants give rights to a bucket beside its policy. A batch job acts as a role:
# what it does to an object is a call of its own.
S3_CONTROL: Final[Operations] = {
    # S3 has one of the same name for a bucket, which is what CloudTrail shows.
    **{name: S3[name] for name in _OF_BOTH},
    **changes(
        "bucket",
        _BUCKET,
        "CreateAccessPoint CreateMultiRegionAccessPoint",
        "access points",
    ),
    **changes(
        "access point",
        "name",
        """
        CreateAccessPointForObjectLambda DeleteAccessPoint DeleteAccessPointForObjectLambda
        DeleteAccessPointPolicy DeleteAccessPointPolicyForObjectLambda DeleteAccessPointScope
        DeleteMultiRegionAccessPoint PutAccessPointConfigurationForObjectLambda
        PutAccessPointPolicy PutAccessPointPolicyForObjectLambda PutAccessPointScope
        PutMultiRegionAccessPointPolicy
        """,
    ),
    **changes("access point", "mrap Bucket bucket", "SubmitMultiRegionAccessPointRoutes"),
    **changes(
        "access grants",
        "grantScope locationScope",
        """
        AssociateAccessGrantsIdentityCenter CreateAccessGrant CreateAccessGrantsInstance
        CreateAccessGrantsLocation DeleteAccessGrant DeleteAccessGrantsInstance
        DeleteAccessGrantsInstanceResourcePolicy DeleteAccessGrantsLocation
        DissociateAccessGrantsIdentityCenter PutAccessGrantsInstanceResourcePolicy
        UpdateAccessGrantsLocation
        """,
    ),
    "DeleteBucketLifecycleConfiguration": S3["DeleteBucketLifecycle"],
    **changes(
        "account",
        "",
        "DeleteAccountPublicAccessBlock PutAccountPublicAccessBlock",
        "openness",
    ),
    **gives_role("CreateJob"),
    **no_concern(
        """
        CreateStorageLensGroup DeleteJobTagging DeleteStorageLensConfiguration
        DeleteStorageLensConfigurationTagging DeleteStorageLensGroup PutJobTagging
        PutStorageLensConfiguration PutStorageLensConfigurationTagging TagResource UntagResource
        UpdateJobPriority UpdateJobStatus UpdateStorageLensGroup
        """
    ),
}

LOGGED_AS: Final[Mapping[str, str]] = {
    "DeleteBucketPublicAccessBlock": "DeletePublicAccessBlock",
    "PutAccelerateConfiguration": "PutBucketAccelerateConfiguration",
    "PutBucketObjectLockConfiguration": "PutObjectLockConfiguration",
    "PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "PutObjectLockLegalHold": "PutObjectLegalHold",
    "PutObjectLockRetention": "PutObjectRetention",
}
"""CloudTrail's names of operations that the API names otherwise."""
