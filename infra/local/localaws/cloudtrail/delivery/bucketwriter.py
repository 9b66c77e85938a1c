"""Puts CloudTrail's files into buckets, as the service.

The write is an ordinary S3 PUT through the same application everybody calls, without a socket: so
default encryption, Object Lock, versioning and notifications apply, and the observer logs it as
AWS does (`AWSService`, invoked by `cloudtrail.amazonaws.com`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote

from localaws.cloudtrail.delivery import permissions
from localaws.cloudtrail.delivery.permissions import DeliveryError
from localaws.cloudtrail.place import Place
from localaws.cloudtrail.recording.actors import SERVICE_PRINCIPAL
from localaws.cloudtrail.recording.events import CLOUDTRAIL, error_of
from localaws.server.wire import App, Message


class FileWriter(Protocol):
    """Where finished files go."""

    async def put(
        self,
        *,
        trail_arn: str,
        bucket: str,
        key: str,
        body: bytes,
        kms_key_id: str | None,
        metadata: Mapping[str, str],
    ) -> None:
        """Write once: a key that is already there is left as it is.

        Raises DeliveryError when the bucket does not take it.
        """
        ...


class BucketWriter:
    """Writes through `app`, the local AWS itself."""

    def __init__(self, app: App, place: Place) -> None:
        self._app = app
        self._place = place

    async def put(
        self,
        *,
        trail_arn: str,
        bucket: str,
        key: str,
        body: bytes,
        kms_key_id: str | None,
        metadata: Mapping[str, str],
    ) -> None:
        permissions.check(
            trail_arn=trail_arn,
            bucket=bucket,
            key=key,
            kms_key_id=kms_key_id,
            place=self._place,
        )
        headers = {
            "host": f"s3.{self._place.region}.amazonaws.com",
            "authorization": self._authorization(),
            "content-type": "application/json",
            "content-encoding": "gzip",
            "content-length": str(len(body)),
            "content-md5": base64.b64encode(hashlib.md5(body).digest()).decode(),  # noqa: S324
            # A file that was written but not noted before the process died is not written twice.
            "if-none-match": "*",
            "x-amz-acl": "bucket-owner-full-control",
            "x-amz-server-side-encryption": "aws:kms" if kms_key_id else "AES256",
        }
        if kms_key_id:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = kms_key_id
        headers |= {f"x-amz-meta-{name}": value for name, value in metadata.items()}
        status, answer = await self._put(quote(f"/{bucket}/{key}", safe="/~"), headers, body)
        if status == 412:
            return
        code, message = error_of("PUT", status, answer)
        if code is not None:
            raise DeliveryError(code, f"s3://{bucket}/{key}: {message}")

    def _authorization(self) -> str:
        """Root's, by account id: ministack has no caller that is a service.

        What the service may do has been checked above; root passes ministack's own check.
        """
        scope = f"{self._place.account_id}/20260101/{self._place.region}/s3/aws4_request"
        return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    async def _put(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        sent = False
        status = 500
        answer = bytearray()

        async def receive() -> Message:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                answer.extend(message.get("body", b""))

        await self._app(
            {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "PUT",
                "scheme": "https",
                "path": path,
                "raw_path": path.encode("ascii"),
                "query_string": b"",
                "root_path": "",
                "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()],
                "client": ("127.0.0.1", 0),
                "server": ("127.0.0.1", 443),
                "state": {},
                SERVICE_PRINCIPAL: CLOUDTRAIL,
            },
            receive,
            send,
        )
        return status, bytes(answer)
