"""Where events go that go to no backend: a file for each, in a bucket.

The configuration names `Bucket` as the `filesystem` of the client's file transport. It is there
because the task has an S3 client already; another library would be loaded in every task.
"""

from __future__ import annotations

import io

from custody.tasks.defaults import client


class Bucket:
    """Files at S3 URIs, as far as the transport asks: new ones, written once."""

    def open(self, path: str, mode: str) -> io.StringIO:
        """A file that is put where `path` says when it is closed; raises ValueError for another
        mode than `w`."""
        if mode != "w":
            raise ValueError(f"{path}: objects are written whole, not in mode {mode!r}")
        return _Upload(path)


class _Upload(io.StringIO):
    def __init__(self, uri: str) -> None:
        super().__init__()
        self._uri = uri

    def close(self) -> None:
        if not self.closed:
            bucket, _, key = self._uri.removeprefix("s3://").partition("/")
            body = self.getvalue().encode()
            super().close()
            client("s3").put_object(Bucket=bucket, Key=key, Body=body)
