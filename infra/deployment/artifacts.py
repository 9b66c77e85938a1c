"""What is uploaded: each object once, under its hash, and never over another.

`If-None-Match` lets S3 refuse a second write. What stands there already must be what we would have
written: its SHA-256, which S3 computed when it was uploaded, says so.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from infra.deployment.errors import DeployError
from infra.deployment.session import Session

# Nobody had it before, or it was written at the same moment by another deployment.
_THERE = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True)
class Artifacts:
    """The bucket for code, of one deployment."""

    session: Session
    bucket: str
    written: list[str] = field(default_factory=list)
    """What was not there before."""

    def put(self, key: str, content: bytes) -> str:
        """Write an object if it is not there; gives its `s3://` address.

        Raises DeployError if something else stands there.
        """
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        if not self._is_there(key, checksum):
            self._write(key, content, checksum)
        return f"s3://{self.bucket}/{key}"

    def put_by_hash(self, folder: str, suffix: str, content: bytes) -> str:
        """Write an object under its SHA-256; gives its key."""
        key = f"{folder}/{hashlib.sha256(content).hexdigest()}{suffix}"
        self.put(key, content)
        return key

    def version_of(self, key: str) -> str:
        """The object version that stands under a key."""
        version: str = self._s3.head_object(Bucket=self.bucket, Key=key)["VersionId"]
        return version

    def url(self, key: str) -> str:
        """The address under which CloudFormation fetches a template."""
        return f"{self._s3.meta.endpoint_url}/{self.bucket}/{key}"

    @cached_property
    def _s3(self) -> Any:
        return self.session.client("s3")

    def _write(self, key: str, content: bytes, checksum: str) -> None:
        try:
            self._s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=content,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _THERE or not self._is_there(key, checksum):
                raise
        else:
            self.written.append(key)

    def _is_there(self, key: str, checksum: str) -> bool:
        try:
            found = self._s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            # Without s3:ListBucket, S3 answers 403 for an object that is not there.
            if error.response["Error"]["Code"] in ("404", "403", "NoSuchKey", "AccessDenied"):
                return False
            raise
        stands = found.get("ChecksumSHA256")
        if stands != checksum:
            raise DeployError(
                f"s3://{self.bucket}/{key} holds something else than this deployment would write "
                f"(its SHA-256 is {stands or 'unknown'}, expected {checksum}). Nobody but a "
                "deployment writes there: find out from the trail who did, then remove it"
            )
        return True
