"""Which S3 operation a request is, and whether CloudTrail counts it as a data event.

The names are those of "Amazon S3 CloudTrail events" in AWS's S3 user guide: ListObjects stands for
both versions of the list call, and bucket-level reads that only list (ListObjects,
ListObjectVersions, HeadBucket) are data events too; everything else on a bucket is management.
A browser's form upload (PostObject) carries no signature the local AWS takes, so it is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

# Subresources of an object by method: the first one present names the operation.
_OBJECT_SUBRESOURCES: dict[str, dict[str, str]] = {
    "GET": {
        "uploadId": "ListParts",
        "tagging": "GetObjectTagging",
        "retention": "GetObjectRetention",
        "legal-hold": "GetObjectLegalHold",
        "acl": "GetObjectAcl",
        "attributes": "GetObjectAttributes",
        "torrent": "GetObjectTorrent",
    },
    "PUT": {
        "tagging": "PutObjectTagging",
        "retention": "PutObjectRetention",
        "legal-hold": "PutObjectLegalHold",
        "acl": "PutObjectAcl",
        "encryption": "UpdateObjectEncryption",
    },
    "POST": {
        "restore": "RestoreObject",
        "select": "SelectObjectContent",
        "uploads": "CreateMultipartUpload",
        "uploadId": "CompleteMultipartUpload",
    },
    "DELETE": {"uploadId": "AbortMultipartUpload", "tagging": "DeleteObjectTagging"},
}
_PLAIN_OBJECT = {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}

# A bucket GET with any other query name reads configuration: a management event.
_LISTING_PARAMETERS = frozenset(
    {
        "list-type", "prefix", "delimiter", "marker", "max-keys", "encoding-type", "start-after",
        "continuation-token", "fetch-owner", "x-id", "versions", "key-marker", "version-id-marker",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class S3Call:
    """One object-level S3 request. `key` is decoded, None when the request names only a bucket.

    `query` keeps the request's parameters in order, decoded; `headers` has lower-case names.
    """

    event_name: str
    bucket: str
    key: str | None
    host: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    @property
    def read_only(self) -> bool:
        """As CloudTrail's readOnly: the operation changes nothing."""
        return self.event_name.startswith(("Get", "Head", "List", "Select"))


def query_of(raw_query: bytes) -> tuple[tuple[str, str], ...]:
    """Decode a query string; a name without a value has the empty value."""
    return tuple(parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True))


def parse(
    method: str,
    raw_path: bytes,
    query: tuple[tuple[str, str], ...],
    headers: Mapping[str, str],
    virtual_bucket: str | None = None,
) -> S3Call | None:
    """The data event a request to S3 makes, or None when it makes none.

    `raw_path` is the path as it came over the wire, still encoded (in a path `+` is itself, so
    only percent-decoding applies). `virtual_bucket` is the bucket a virtual-hosted request names
    in its host.
    """
    path = unquote(raw_path.decode("latin-1"), errors="replace").removeprefix("/")
    bucket, _, key = (virtual_bucket, "", path) if virtual_bucket else path.partition("/")
    if not bucket:
        return None
    names = {name for name, _ in query}
    event_name = _object_event(method, names, headers) if key else _bucket_event(method, names)
    if event_name is None:
        return None
    return S3Call(event_name, bucket, key or None, headers.get("host", ""), query, headers)


def _object_event(method: str, names: set[str], headers: Mapping[str, str]) -> str | None:
    copying = "x-amz-copy-source" in headers
    if "annotation" in names:
        return None
    if method == "PUT" and {"partNumber", "uploadId"} <= names:
        return "UploadPartCopy" if copying else "UploadPart"
    for subresource, event_name in _OBJECT_SUBRESOURCES.get(method, {}).items():
        if subresource in names:
            return event_name
    if method == "PUT":
        return "CopyObject" if copying else "PutObject"
    return _PLAIN_OBJECT.get(method)


def _bucket_event(method: str, names: set[str]) -> str | None:
    if method == "HEAD":
        return "HeadBucket"
    if method == "POST" and "delete" in names:
        return "DeleteObjects"
    listing = {name for name in names if not name.lower().startswith("x-amz-")}
    if method == "GET" and listing <= _LISTING_PARAMETERS:
        return "ListObjectVersions" if "versions" in names else "ListObjects"
    return None
