"""The noun that custody is about: one version of one object in S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNVERSIONED: Final = "null"
"""The version id of an object of a bucket without versioning, as S3 gives it."""


@dataclass(frozen=True, order=True, slots=True)
class ObjectVersion:
    """One exact version of an object: `key` decoded, `version_id` as S3 gave it."""

    bucket: str
    key: str
    version_id: str

    @property
    def uri(self) -> str:
        """`s3://bucket/key`, without the version; the key is not percent-encoded."""
        return f"s3://{self.bucket}/{self.key}"

    def __str__(self) -> str:
        return f"{self.uri} (version {self.version_id})"
