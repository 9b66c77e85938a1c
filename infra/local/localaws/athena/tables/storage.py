"""Objects in S3, read and written as the caller."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localaws.access.calledvia import mark
from localaws.athena.errors import Cancelled, QueryError, internal_error
from localaws.clients import session
from localaws.protocol import Caller
from localaws.settings import Settings

ATHENA: Final = "athena.amazonaws.com"
# Few: the server that answers them is the same process.
_READERS = 4
_CHUNK = 1024 * 1024


@functools.lru_cache(maxsize=16)
def clients_of(settings: Settings, caller: Caller) -> tuple[Any, Any]:
    """S3 and Glue with the caller's credentials: IAM and CloudTrail see the caller.

    Some are kept, as making one takes longer than a query.
    """
    own = session(settings, caller.access_key_id, caller.secret_access_key, caller.session_token)
    config = Config(
        s3={"addressing_style": "path"},
        retries={"mode": "standard", "max_attempts": 3},
        max_pool_connections=16,
        user_agent_extra=ATHENA,
    )
    s3 = own.client("s3", endpoint_url=settings.endpoint, config=config)
    mark(s3, ATHENA)
    return s3, own.client("glue", endpoint_url=settings.endpoint, config=config)


@dataclass(frozen=True, slots=True)
class Location:
    """`s3://bucket/prefix`; the prefix is empty or ends with a slash."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, uri: str) -> Location:
        """Raises QueryError for what is not an S3 path."""
        scheme, _, rest = uri.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme not in ("s3", "s3a", "s3n") or not bucket:
            raise QueryError("INVALID_LOCATION", f"'{uri}' is not an s3:// path")
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        return cls(bucket, prefix)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as listed; its size in bytes."""

    bucket: str
    key: str
    size: int

    @property
    def uri(self) -> str:
        """`s3://bucket/key`, the value of `"$path"`."""
        return f"s3://{self.bucket}/{self.key}"


class ObjectStore:
    """Lists, fetches and writes objects; raises QueryError where the caller may not."""

    def __init__(self, s3: Any, stop: threading.Event) -> None:
        """`stop` ends the work in progress."""
        self._s3 = s3
        self._stop = stop

    def below(self, location: Location) -> list[StoredObject]:
        """What lies below a location and holds data: not empty, not hidden (`_…`, `.…`)."""

        def is_hidden(key: str) -> bool:
            parts = key[len(location.prefix) :].split("/")
            return any(part.startswith(("_", ".")) for part in parts)

        return [one for one in self._listed(location) if one.size and not is_hidden(one.key)]

    def _listed(self, location: Location) -> list[StoredObject]:
        """Every object whose key starts with a prefix."""
        found: list[StoredObject] = []
        with _denied(location.bucket, location.prefix):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=location.bucket, Prefix=location.prefix
            )
            for page in pages:
                self._check()
                found += [
                    StoredObject(location.bucket, item["Key"], item["Size"])
                    for item in page.get("Contents") or []
                ]
        return found

    def is_empty(self, location: Location) -> bool:
        """Whether there is no object at all below a location."""
        return not self._listed(location)

    def fetch(self, objects: Sequence[StoredObject], folder: Path) -> list[Path]:
        """The objects as files of `folder`."""

        def one(place: int) -> Path:
            self._check()
            stored, target = objects[place], folder / str(place)
            with _denied(stored.bucket, stored.key):
                try:
                    answer = self._s3.get_object(Bucket=stored.bucket, Key=stored.key)
                except ClientError as error:
                    if error.response["Error"]["Code"] != "InvalidRequest":
                        raise
                    # Encrypted with a key that only the request could name (SSE-C).
                    raise QueryError(
                        "HIVE_CANNOT_OPEN_SPLIT",
                        f"Error opening Hive split {stored.uri} (offset=0, "
                        f"length={stored.size}): {error}",
                    ) from error
                with target.open("wb") as file:
                    for chunk in answer["Body"].iter_chunks(_CHUNK):
                        self._check()
                        file.write(chunk)
            return target

        with ThreadPoolExecutor(_READERS) as pool:
            return list(pool.map(one, range(len(objects))))

    def read(self, location: Location, name: str) -> bytes:
        """One object's content."""
        key = f"{location.prefix}{name}"
        with _denied(location.bucket, key):
            body: bytes = self._s3.get_object(Bucket=location.bucket, Key=key)["Body"].read()
        return body

    def put(self, location: Location, name: str, body: bytes | Path, **arguments: str) -> None:
        """Write one object; `arguments` are PutObject's."""
        key = f"{location.prefix}{name}"
        with _denied(location.bucket, key), contextlib.ExitStack() as stack:
            content = stack.enter_context(body.open("rb")) if isinstance(body, Path) else body
            self._s3.put_object(Bucket=location.bucket, Key=key, Body=content, **arguments)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled


@contextlib.contextmanager
def _denied(bucket: str, key: str) -> Iterator[None]:
    """S3's errors in Athena's words."""
    where = f"s3://{bucket}/{key}"
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("AccessDenied", "403", "AllAccessDisabled", "KMS.AccessDeniedException"):
            raise QueryError("", f"Permission denied on S3 path: {where}", kind=1501) from error
        if code == "NoSuchBucket":
            raise QueryError(
                "", f"The S3 location provided does not exist: {where}", kind=1107
            ) from error
        message = error.response["Error"].get("Message", "")
        raise internal_error(f"S3: {code} on {where}: {message}") from error
    except BotoCoreError as error:
        raise internal_error(f"S3: {error} on {where}") from error
