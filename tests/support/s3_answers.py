"""Answers of S3's GetObject, for `before-call` handlers of tests."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import IncompleteReadError
from tests.support.moto_aws import answer


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
