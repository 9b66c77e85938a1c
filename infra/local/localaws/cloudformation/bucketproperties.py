"""What a template says of an S3 bucket, in the words of S3's API.

Used twice: to set what ministack's CloudFormation leaves out, and to check a deployed bucket
against its template. Pure: dictionaries in, dictionaries out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# ministack's own provisioner sees to these.
PROVIDED = frozenset(
    {
        "BucketName",
        "CorsConfiguration",
        "NotificationConfiguration",
        "PublicAccessBlockConfiguration",
        "Tags",
        "VersioningConfiguration",
        "WebsiteConfiguration",
    }
)


class UnsupportedPropertyError(ValueError):
    """A property the local AWS would silently ignore; names it."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One bucket configuration: the S3 call that sets it, and its parameters without Bucket."""

    operation: str
    parameters: dict[str, Any]


def configurations(properties: Mapping[str, Any]) -> list[Configuration]:
    """The S3 calls that set what ministack leaves out of `properties` (references resolved).

    Raises UnsupportedPropertyError for a property or a part of one that nobody would set.
    """
    found: list[Configuration] = []
    for name, value in properties.items():
        if name in PROVIDED or name == "ObjectLockEnabled":
            continue
        translate = _TRANSLATIONS.get(name)
        if translate is None:
            raise UnsupportedPropertyError(f"{name} of AWS::S3::Bucket")
        found.append(translate(value))
    if truth(properties.get("ObjectLockEnabled")) and "ObjectLockConfiguration" not in properties:
        found.append(_object_lock({"ObjectLockEnabled": "Enabled"}))
    return found


def truth(value: Any) -> bool:
    """A template's boolean, which may have come as text."""
    return str(value).lower() == "true"


def _encryption(value: Mapping[str, Any]) -> Configuration:
    _only("BucketEncryption", value, {"ServerSideEncryptionConfiguration"})
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        known = {"BlockedEncryptionTypes", "BucketKeyEnabled", "ServerSideEncryptionByDefault"}
        _only("BucketEncryption rule", rule, known)
        default = rule.get("ServerSideEncryptionByDefault", {})
        _only("ServerSideEncryptionByDefault", default, {"SSEAlgorithm", "KMSMasterKeyID"})
        translated = {
            "ApplyServerSideEncryptionByDefault": dict(default),
            "BucketKeyEnabled": truth(rule.get("BucketKeyEnabled", False)),
        }
        if "BlockedEncryptionTypes" in rule:
            translated["BlockedEncryptionTypes"] = dict(rule["BlockedEncryptionTypes"])
        rules.append(translated)
    return Configuration(
        "PutBucketEncryption", {"ServerSideEncryptionConfiguration": {"Rules": rules}}
    )


def _object_lock(value: Mapping[str, Any]) -> Configuration:
    _only("ObjectLockConfiguration", value, {"ObjectLockEnabled", "Rule"})
    configuration: dict[str, Any] = {"ObjectLockEnabled": value.get("ObjectLockEnabled", "Enabled")}
    if "Rule" in value:
        retention = value["Rule"]["DefaultRetention"]
        _only("DefaultRetention", retention, {"Mode", "Days", "Years"})
        configuration["Rule"] = {
            "DefaultRetention": {
                name: part if name == "Mode" else int(part) for name, part in retention.items()
            }
        }
    return Configuration("PutObjectLockConfiguration", {"ObjectLockConfiguration": configuration})


def _ownership(value: Mapping[str, Any]) -> Configuration:
    _only("OwnershipControls", value, {"Rules"})
    return Configuration("PutBucketOwnershipControls", {"OwnershipControls": dict(value)})


def _lifecycle(value: Mapping[str, Any]) -> Configuration:
    _only("LifecycleConfiguration", value, {"Rules"})
    rules = [_lifecycle_rule(rule) for rule in value["Rules"]]
    return Configuration(
        "PutBucketLifecycleConfiguration", {"LifecycleConfiguration": {"Rules": rules}}
    )


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    _only(
        "LifecycleConfiguration rule",
        rule,
        {
            "AbortIncompleteMultipartUpload",
            "ExpirationInDays",
            "Id",
            "NoncurrentVersionExpiration",
            "Prefix",
            "Status",
        },
    )
    translated: dict[str, Any] = {
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    if "Id" in rule:
        translated["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        translated["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            translated[name] = {part: int(days) for part, days in rule[name].items()}
    return translated


def _replication(value: Mapping[str, Any]) -> Configuration:
    _only("ReplicationConfiguration", value, {"Role", "Rules"})
    rules = [_replication_rule(rule) for rule in value["Rules"]]
    return Configuration(
        "PutBucketReplication",
        {"ReplicationConfiguration": {"Role": value["Role"], "Rules": rules}},
    )


def _replication_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The template's words are the API's, but for the rule's id; numbers may have come as text."""
    named = {"DeleteMarkerReplication", "Destination", "Filter", "Id", "Priority", "Status"}
    _only("ReplicationConfiguration rule", rule, named | {"SourceSelectionCriteria"})
    destination = dict(rule["Destination"])
    parts = {"Bucket", "EncryptionConfiguration", "Metrics", "ReplicationTime"}
    _only("Destination", destination, parts)
    for name, part in (("ReplicationTime", "Time"), ("Metrics", "EventThreshold")):
        if name in destination:
            minutes = {"Minutes": int(destination[name][part]["Minutes"])}
            destination[name] = {**destination[name], part: minutes}
    translated = {name: part for name, part in rule.items() if name != "Id"}
    return translated | {
        "ID": rule["Id"],
        "Priority": int(rule["Priority"]),
        "Destination": destination,
    }


def _only(where: str, value: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(value) - known)
    if unknown:
        raise UnsupportedPropertyError(f"{', '.join(unknown)} in {where} of AWS::S3::Bucket")


_TRANSLATIONS = {
    "BucketEncryption": _encryption,
    "LifecycleConfiguration": _lifecycle,
    "ObjectLockConfiguration": _object_lock,
    "OwnershipControls": _ownership,
    "ReplicationConfiguration": _replication,
}
