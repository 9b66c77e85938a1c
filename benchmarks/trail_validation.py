"""How fast a trail is proven, beside `aws cloudtrail validate-logs` on the same files.

A local AWS of the benchmark's own is filled with a week of CloudTrail's files (2,016 log files, 168
digests). Both programs then validate all of it, from start to end of their processes, and both must
find every file valid.

Two lines are printed. `trail_validation`: the endpoint answers as late as S3 does, or rather
sooner: AWS gives 100 to 200 ms for a small object ("Performance design patterns for Amazon S3"),
here it is 50 ms, put in by a proxy between both programs and the endpoint.
`trail_validation_loopback`: without it. That measures the local AWS, one process that needs some
1.4 ms of processor time for each file: about as much as the AWS CLI itself, so that nobody could be
more than about twice as fast.

Prints JSON lines: `{"name", "ours", "reference", "ratio", "unit"}`.

    python benchmarks/trail_validation.py [--hours 168] [--latency-ms 50]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

REPOSITORY = Path(__file__).resolve().parents[1]
LOCAL_PYTHON = REPOSITORY / ".venvs" / "local" / "bin" / "python"
AWS_CLI = REPOSITORY / ".venvs" / "aws" / "bin" / "aws"
ACCOUNT, REGION = "111122223333", "us-east-1"
TRAIL, BUCKET = "custody-bench", "custody-bench-trail"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class LocalAws:
    """A local AWS in a folder of its own."""

    home: Path
    port: int

    def environment(self, port: int | None = None) -> dict[str, str]:
        """Of a program that is the platform engineer there, or behind a proxy on `port`."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOCAL_"))}
        return kept | {
            "CUSTODY_LOCAL_HOME": str(self.home),
            "LOCAL_AWS_PORT": str(self.port),
            "LOCAL_AWS_ACCOUNT_ID": ACCOUNT,
            "LOCAL_CLOUDTRAIL_DIGEST_SECONDS": "86400",  # none of its own while we measure
            "PYTHONPATH": str(REPOSITORY / "infra" / "local"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "aws" / "credentials"),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_PROFILE": "platform-engineer",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port or self.port}",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": HOST,
        }

    def python(self, *arguments: str) -> str:
        """The output of a program in the local AWS's environment."""
        return run([str(LOCAL_PYTHON), *arguments], self.environment())

    def make_trail(self) -> None:
        """A trail that is on, with a bucket that takes its files."""
        with patched(self.environment()):
            session = boto3.session.Session()
            s3, cloudtrail = session.client("s3"), session.client("cloudtrail")
            s3.create_bucket(Bucket=BUCKET)
            s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
            service = {"Service": "cloudtrail.amazonaws.com"}
            policy = {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": service, "Action": action,
                     "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]}
                    for action in ("s3:GetBucketAcl", "s3:PutObject")
                ],
            }  # fmt: skip
            s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
            cloudtrail.create_trail(Name=TRAIL, S3BucketName=BUCKET, EnableLogFileValidation=True)
            cloudtrail.start_logging(Name=TRAIL)


@contextlib.contextmanager
def local_aws() -> Iterator[LocalAws]:
    """A local AWS that runs until the block ends, and is forgotten then."""
    with tempfile.TemporaryDirectory() as folder:
        aws = LocalAws(Path(folder, "home"), free_port())
        aws.python("-m", "localaws", "start")
        try:
            yield aws
        finally:
            aws.python("-m", "localaws", "stop")


@contextlib.contextmanager
def answering_late(port: int, seconds: float) -> Iterator[int]:
    """A proxy in front of `port` that holds every answer back for a while; gives its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def serve() -> asyncio.Server:
        async def connected(
            client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter
        ) -> None:
            server_in, server_out = await asyncio.open_connection(HOST, port)
            await asyncio.gather(
                relay(client_in, server_out, 0.0), relay(server_in, client_out, seconds)
            )

        return await asyncio.start_server(connected, HOST, 0)

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def relay(source: asyncio.StreamReader, target: asyncio.StreamWriter, seconds: float) -> None:
    """Pass bytes on, each `seconds` after it came; a line that is long, not one that is thin."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            if seconds:
                loop.call_later(seconds, target.write, data)
            else:
                target.write(data)
    loop.call_later(seconds, target.close)


@contextlib.contextmanager
def patched(environment: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def run(command: Sequence[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def ours(environment: dict[str, str], past: dict[str, Any]) -> float:
    """Seconds our validator takes."""
    script = str(REPOSITORY / "benchmarks" / "trail" / "validate.py")
    start = time.perf_counter()
    told = run([sys.executable, script, TRAIL, BUCKET, ACCOUNT, REGION], environment)
    seconds = time.perf_counter() - start
    if told.split() != [str(past["digests"]), str(past["logs"])]:
        raise SystemExit(f"we proved {told}, expected {past}")
    return seconds


def reference(environment: dict[str, str], past: dict[str, Any]) -> float:
    """Seconds AWS's validator takes."""
    command = [str(AWS_CLI), "cloudtrail", "validate-logs", "--trail-arn", ARN]
    start = time.perf_counter()
    told = run([*command, "--start-time", past["start"]], environment)
    seconds = time.perf_counter() - start
    if f"{past['logs']}/{past['logs']} log files valid" not in told:
        raise SystemExit(f"the AWS CLI did not prove {past}:\n{told}")
    return seconds


def compare(name: str, environment: dict[str, str], past: dict[str, Any]) -> None:
    """Let both validate, ours first, and print the line."""
    our_rate = past["logs"] / ours(environment, past)
    their_rate = past["logs"] / reference(environment, past)
    line = {
        "name": name,
        "ours": round(our_rate, 1),
        "reference": round(their_rate, 1),
        "ratio": round(our_rate / their_rate, 2),
        "unit": "log files/s",
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    """Make the past, then compare with and without S3's latency."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hours", type=int, default=168, help="hours of 12 log files each")
    parser.add_argument("--latency-ms", type=float, default=50.0, help="of the proxy, in ms")
    options = parser.parse_args()
    with local_aws() as aws:
        aws.make_trail()
        deliver = str(REPOSITORY / "benchmarks" / "trail" / "deliver.py")
        past = json.loads(aws.python(deliver, TRAIL, BUCKET, str(options.hours)))
        with answering_late(aws.port, options.latency_ms / 1000) as port:
            compare("trail_validation", aws.environment(port), past)
        compare("trail_validation_loopback", aws.environment(), past)


if __name__ == "__main__":
    main()
