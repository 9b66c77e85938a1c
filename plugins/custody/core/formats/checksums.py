"""The checksums S3 keeps itself, and what they do and do not prove.

A `FULL_OBJECT` checksum covers the object's bytes. A `COMPOSITE` one, which multipart uploads
get, is a checksum of the parts' checksums: its value looks alike but is never the object's own.
Rules from "Checking object integrity" in the Amazon S3 User Guide.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast, get_args

ChecksumType: TypeAlias = Literal["FULL_OBJECT", "COMPOSITE"]

DIGEST_BYTES: Final = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}
"""Length in bytes of each algorithm's digest."""

_COMPOSITE_PARTS = re.compile(r"-[1-9]\d{0,4}", re.ASCII)


@dataclass(frozen=True)
class S3Checksum:
    """A checksum as S3 shows it.

    `value` is base64; a composite one may have `-<number of parts>` behind it. Raises
    `ValueError` if the three do not go together.
    """

    algorithm: str
    type: ChecksumType
    value: str

    def __post_init__(self) -> None:
        if self.algorithm not in DIGEST_BYTES:
            raise ValueError(f"algorithm {self.algorithm[:40]!r} is none of {list(DIGEST_BYTES)}")
        if self.type not in get_args(ChecksumType):
            raise ValueError(f"type {self.type[:40]!r} is neither FULL_OBJECT nor COMPOSITE")
        digest, dash, parts = self.value.partition("-")
        if self.type == "FULL_OBJECT" and dash:
            raise ValueError("a FULL_OBJECT value must not end in a part count")
        if dash and not _COMPOSITE_PARTS.fullmatch(dash + parts):
            raise ValueError("the part count of a composite value must be a number from 1 up")
        try:
            length = len(base64.b64decode(digest, validate=True))
        except (binascii.Error, ValueError) as error:
            raise ValueError("value is not base64") from error
        if length != DIGEST_BYTES[self.algorithm]:
            raise ValueError(f"value has {length} bytes, {self.algorithm} has another length")

    @property
    def object_sha256(self) -> str | None:
        """The SHA-256 of the object's bytes in hexadecimal, or `None` if this is not that."""
        if self.algorithm != "SHA256" or self.type != "FULL_OBJECT":
            return None
        return base64.b64decode(self.value).hex()


def s3_checksum(algorithm: str, kind: str | None, value: str) -> S3Checksum:
    """Build an `S3Checksum` from an S3 response, which may lack the type or get it wrong.

    Objects stored before S3 had checksum types carry none, and some S3 implementations call every
    checksum `FULL_OBJECT`; a part count in the value always means composite. Raises
    `ValueError`.
    """
    if "-" in value:
        return S3Checksum(algorithm, "COMPOSITE", value)
    return S3Checksum(algorithm, cast("ChecksumType", kind or "FULL_OBJECT"), value)
