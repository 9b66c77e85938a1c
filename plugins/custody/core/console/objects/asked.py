"""Which object somebody asks for, by its key or its `s3://` address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_KEY_BYTES: Final = 1024
"""As long as S3 lets a key be."""

_SCHEME: Final = "s3://"


class NotAsked(Exception):
    """What was typed names no object that may be asked for; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """The key of an object of a bucket."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"


def places(typed: str, buckets: Sequence[str]) -> list[Place]:
    """Where the object that somebody typed may be: `s3://bucket/key`, or a key in any of `buckets`.

    Nothing is decoded or cut off: keys are whatever somebody made them. Raises `NotAsked` for what
    is no key, and for a bucket that is none of these: whoever asks must not have Airflow's role
    read elsewhere.
    """
    key, among = typed, list(buckets)
    if typed.startswith(_SCHEME):
        bucket, _, key = typed.removeprefix(_SCHEME).partition("/")
        if bucket not in buckets:
            raise NotAsked(f"{bucket!r} is no bucket of this deployment: {', '.join(buckets)}")
        among = [bucket]
    if not key:
        raise NotAsked("name an object by its key, or as s3://bucket/key")
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise NotAsked(f"a key has {MAX_KEY_BYTES} bytes at most")
    return [Place(bucket, key) for bucket in among]
