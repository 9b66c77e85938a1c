"""Answers of S3's GetObject, for `before-call` handlers of tests."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import IncompleteReadError
from tests.support.moto_aws import answer, refusal


def encrypt_anew(
    s3: Any, key: str, under: str = "theirs", code: str = "AccessDenied"
) -> Callable[[], None]:
    """From now on S3 does not hand out what lies under `key`, as it is encrypted under a KMS key
    (its id) that cannot be used; until what this returns is called."""
    arn = f"arn:aws:kms:us-east-1:111122223333:key/{under}"

    def is_it(params: Mapping[str, Any]) -> bool:
        return unquote(params["url_path"]).endswith(f"/{key}")

    def refuse(params: Mapping[str, Any], **_: Any) -> Any:
        return refusal(code, 403) if is_it(params) else None

    def describe(params: Mapping[str, Any], **_: Any) -> Any:
        return answer({"SSEKMSKeyId": arn}) if is_it(params) else None

    answers = {"GetObject": refuse, "HeadObject": describe}
    for call, handler in answers.items():
        s3.meta.events.register(f"before-call.s3.{call}", handler)

    def undo() -> None:
        for call, handler in answers.items():
            s3.meta.events.unregister(f"before-call.s3.{call}", handler)

    return undo


@contextmanager
def withheld(s3: Any, key: str) -> Iterator[None]:
    """Meanwhile S3 does not hand out what lies under `key`, of a client that others have too."""
    undo = encrypt_anew(s3, key)
    try:
        yield
    finally:
        undo()


def got(body: Any, size: int, **more: Any) -> tuple[SimpleNamespace, dict[str, Any]]:
    """S3 begins to hand out `body` and announces `size` bytes."""
    return answer(
        {
            "Body": body,
            "ContentLength": size,
            "ETag": '"e"',
            "LastModified": datetime(2026, 11, 1, tzinfo=UTC),
            "ResponseMetadata": {},
            **more,
        }
    )


class BreakingBody(io.BytesIO):
    """A body whose connection ends after `good` bytes."""

    def __init__(self, content: bytes, good: int) -> None:
        super().__init__(content[:good])

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        if not chunk:
            raise IncompleteReadError(actual_bytes=0, expected_bytes=0)
        return chunk
