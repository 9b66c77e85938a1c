"""The job for large objects makes the record the Lambda would have made."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.response import StreamingBody
from tests.support.moto_aws import (
    DATA_KEY_ARN,
    KEY_ARN,
    PRIVATE_KEY,
    REGION,
    answer,
    refusal,
    signing_kms,
)
from tests.support.notices import notice
from tests.support.s3_answers import got

import record_large
from custody.core.formats.dsse import Envelope
from custody.core.formats.signatures import verify
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.model import Record, UnreadableRecord
from custody.core.records.names import record_id
from custody.core.records.recording import RECORDER, NotAsAnnounced
from custody.core.records.statement import read_record
from custody.objects import ObjectVersion

PLUGINS = Path(__file__).parents[3] / "plugins"
CONTENT = b"id\n1\n" * 1000
SAID = notice(key="incoming/a b+é.csv", size=len(CONTENT), etag="0" * 32)
BUCKET, VERSION = SAID["s3"]["bucket"]["name"], SAID["s3"]["object"]["versionId"]
ID = record_id(ObjectVersion(BUCKET, "incoming/a b+é.csv", VERSION))


class S3:
    """One object version, and what is put."""

    def __init__(self) -> None:
        self.client = boto3.client("s3", region_name=REGION)
        self.put: dict[str, bytes] = {}
        self.client.meta.events.register("before-call.s3.GetObject", self._get)
        self.client.meta.events.register("before-call.s3.PutObject", self._put)

    def _get(self, params: dict[str, Any], **_: object) -> object:
        assert params["query_string"] == {"versionId": VERSION}
        body = StreamingBody(io.BytesIO(CONTENT), len(CONTENT))
        return got(body, len(CONTENT), ETag=f'"{"0" * 32}"')

    def _put(self, params: dict[str, Any], **_: object) -> object:
        body = params["body"]
        self.put[unquote(params["url_path"])] = body if isinstance(body, bytes) else body.read()
        return answer({"ResponseMetadata": {}})

    @property
    def record(self) -> Record:
        (line,) = self.put.values()
        trusted = {KEY_ARN: PRIVATE_KEY.public_key()}
        return read_record(verify(Envelope.parse(line), trusted))


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> S3:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    world, kms = S3(), signing_kms()
    clients = {"s3": world.client, "kms": kms}
    monkeypatch.setattr(boto3, "client", lambda service, **_: clients[service])
    return world


def arguments(said: object = SAID, version: str = ID) -> list[str]:
    """As Glue gives them: the job's, the run's, and Glue's own."""
    text = base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    return [
        "record_large.py",
        *("--JOB_NAME", "custody-test-record-large", "--JOB_RUN_ID", "jr_1"),
        *("--extra-py-files", "s3://code/custody.zip"),
        *("--provenance_bucket", "provenance-bucket"),
        *("--signing_key_arn", KEY_ARN, "--data_key_arn", DATA_KEY_ARN),
        *("--record_id", version, "--announcement", text),
    ]


def test_the_record_is_that_of_the_recorder(s3: S3) -> None:
    record_large.main(arguments())

    assert not isinstance(s3.record, UnreadableRecord)
    assert s3.record.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert s3.record.recorder == RECORDER
    assert list(s3.put) == [f"/provenance/incoming/dt=2026-11-01/{ID}.json"]


def test_what_nobody_can_read_is_recorded_as_such(s3: S3) -> None:
    s3.client.meta.events.register_first(
        "before-call.s3.GetObject", lambda **_: refusal("InvalidObjectState", 403)
    )
    record_large.main(arguments())

    assert isinstance(s3.record, UnreadableRecord)


def test_a_run_for_other_bytes_than_announced_fails(s3: S3) -> None:
    said = json.loads(json.dumps(SAID))
    said["s3"]["object"]["size"] += 1

    with pytest.raises(NotAsAnnounced):
        record_large.main(arguments(said))
    assert s3.put == {}


def test_a_run_in_the_name_of_another_version_fails(s3: S3) -> None:
    with pytest.raises(MalformedInput):
        record_large.main(arguments(version="0" * 64))
    assert s3.put == {}


def test_it_runs_on_what_glue_has_without_further_modules() -> None:
    """Unlike the other jobs it is given none: whoever reads the bytes signs with KMS alone."""
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['cryptography'] = None; import record_large",
        ],
        env={"PYTHONPATH": f"{PLUGINS}:{Path(record_large.__file__).parent}"},
        check=True,
    )
