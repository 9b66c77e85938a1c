"""Naming objects on the command line."""

from __future__ import annotations

from dataclasses import dataclass

from custody.cli.errors import CannotCheck
from custody.core.formats.s3_fields import bucket_name
from custody.core.formats.untrusted import Fields, MalformedInput


@dataclass(frozen=True)
class Location:
    """A bucket, and an object key or the beginning of some (empty: all of them)."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def parse(cls, uri: str) -> Location:
        """Read `s3://bucket/key`, the key as S3 has it, not encoded. Raises `CannotCheck`."""
        scheme, separator, place = uri.partition("://")
        bucket, _, key = place.partition("/")
        if scheme != "s3" or not separator:
            raise CannotCheck(f"{uri!r} is no object: write it as s3://bucket/key")
        try:
            return cls(bucket_name(Fields({"bucket": bucket}, uri), "bucket"), key)
        except MalformedInput as error:
            raise CannotCheck(str(error)) from error
