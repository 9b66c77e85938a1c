"""Naming objects on the command line."""

from __future__ import annotations

from dataclasses import dataclass

from custody.core.formats.s3_fields import bucket_name
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.reading.errors import CannotCheck


@dataclass(frozen=True)
class Location:
    """A bucket, and an object key or, if `is_prefix`, what the keys of some begin with (empty: of
    all).

    Which of both is meant never depends on what is stored: whoever may write an object could
    otherwise hide all below a prefix by giving one its name.
    """

    bucket: str
    key: str
    is_prefix: bool = False

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def parse(cls, uri: str, *, prefix: bool = False) -> Location:
        """Read `s3://bucket/key`, the key as S3 has it, not encoded.

        A prefix ends with a slash, or the caller says that it is one. Raises `CannotCheck`.
        """
        scheme, separator, place = uri.partition("://")
        bucket, _, key = place.partition("/")
        if scheme != "s3" or not separator:
            raise CannotCheck(f"{uri!r} is no object: write it as s3://bucket/key")
        try:
            name = bucket_name(Fields({"bucket": bucket}, uri), "bucket")
        except MalformedInput as error:
            raise CannotCheck(str(error)) from error
        return cls(name, key, prefix or not key or key.endswith("/"))
