"""How fast the recorder hashes, beside `openssl dgst -sha256` on the same bytes.

Ours is the code the recorder runs (`custody.aws.s3.hashing.hash_version`), given a file as the body
of S3's answer; the reference is OpenSSL's own program reading that file. Both read it from the page
cache. They take turns, and the best of each counts: whatever else the machine does only slows one
down.

Prints one JSON line: `{"name", "ours", "reference", "ratio", "unit"}`.

    python benchmarks/hashing.py [--mib 512] [--rounds 7]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import boto3
from botocore.response import StreamingBody

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from custody.aws.s3.hashing import hash_version
from custody.objects import ObjectVersion

MIB = 1024 * 1024


class Bucket:
    """An S3 client that answers every GetObject with one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        nowhere: dict[str, Any] = {
            "region_name": "us-east-1",
            "aws_access_key_id": "x",
            "aws_secret_access_key": "x",
        }
        self._s3 = boto3.client("s3", **nowhere)
        events: Any = self._s3.meta.events  # typed for handlers that return nothing
        events.register("before-call.s3.GetObject", self._get)

    def _get(self, **_: object) -> tuple[SimpleNamespace, dict[str, Any]]:
        size = self._path.stat().st_size
        body: BinaryIO = self._path.open("rb", buffering=0)
        parsed = {
            "Body": StreamingBody(body, size),
            "ContentLength": size,
            "ETag": '"e"',
            "LastModified": datetime.now(UTC),
            "ResponseMetadata": {},
        }
        return SimpleNamespace(status_code=200), parsed

    def sha256(self) -> str:
        return hash_version(self._s3, ObjectVersion("bucket", "key", "version")).sha256


def openssl_sha256(path: Path) -> str:
    answer = subprocess.run(
        ["openssl", "dgst", "-sha256", "-r", path], capture_output=True, text=True, check=True
    )
    return answer.stdout.split()[0]


def timed(work: Callable[[], str]) -> tuple[float, str]:
    """Seconds it took, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def compare(path: Path, rounds: int) -> tuple[float, float]:
    """The shortest times in seconds: ours, OpenSSL's. Raises `ValueError` if they disagree."""
    bucket, ours, reference = Bucket(path), [], []
    for _ in range(rounds):
        our_time, our_hash = timed(bucket.sha256)
        their_time, their_hash = timed(lambda: openssl_sha256(path))
        if our_hash != their_hash:
            raise ValueError(f"we say {our_hash}, OpenSSL says {their_hash}")
        ours.append(our_time)
        reference.append(their_time)
    return min(ours), min(reference)


def main() -> None:
    """Write a file of random bytes, hash it in both ways, print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mib", type=int, default=512, help="size of the file in MiB")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "object")
        with path.open("wb") as file:
            for _ in range(options.mib):
                file.write(os.urandom(MIB))
        ours, reference = (options.mib / seconds for seconds in compare(path, options.rounds))
    line = {
        "name": "hashing",
        "ours": round(ours, 1),
        "reference": round(reference, 1),
        "ratio": round(ours / reference, 3),
        "unit": "MiB/s",
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
