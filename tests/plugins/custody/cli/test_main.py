"""The command's arguments, settings, keys and exit status."""

import json
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from tests.support.audited import RAW, RING, SETTINGS, A, run
from tests.support.moto_aws import REGION, signing_kms

from custody.cli.arguments import SETTINGS_VARIABLE
from custody.cli.main import main
from custody.core.case.key_ring import KeyRing

PLUGINS = Path(__file__).parents[4] / "plugins"
COMMANDS = ["verify", "trace", "trail", "seal", "prove", "export", "check", "keys", "redrive"]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_says_how_a_command_ends(capsys, command):
    with pytest.raises(SystemExit) as left:
        main([*([command] if command else []), "--help"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    assert "exit status" in told
    assert command is not None or all(name in told for name in COMMANDS)


@pytest.mark.parametrize("args", [[], ["other"], ["verify"], ["trail", "--since", "yesterday"]])
def test_wrong_usage_ends_with_2(capsys, args):
    with pytest.raises(SystemExit) as left:
        main(args)
    assert left.value.code == 2
    assert "usage: custody" in capsys.readouterr().err


def test_without_settings_it_asks_for_them(monkeypatch):
    monkeypatch.delenv(SETTINGS_VARIABLE, raising=False)
    found = run("verify", f"s3://{RAW}/")
    assert (found.status, "--settings" in found.err) == (2, True)


@pytest.mark.parametrize("uri", ["raw/key", "http://raw/key", "s3://", "s3://UPPER/x", "s3:raw"])
def test_what_names_no_object_is_refused(platform, uri):
    found = platform.custody("verify", uri)
    assert (found.status, found.out) == (2, "")
    assert found.err


def test_settings_come_from_a_parameter_too(platform):
    ssm = boto3.client("ssm", region_name=REGION)
    name = "/custody/test/airflow/variables/custody"
    ssm.put_parameter(Name=name, Value=json.dumps(SETTINGS), Type="String")
    keys = platform.folder / "keys.json"
    found = run("verify", f"s3://{RAW}/{A}", "--settings", f"ssm:{name}", "--keys", keys)
    assert found.status == 0
    found = run("verify", f"s3://{RAW}/{A}", "--settings", "ssm:/other", "--keys", keys)
    assert (found.status, "ParameterNotFound" in found.err) == (2, True)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "must be an object"),
        (json.dumps(SETTINGS | {"provenance_bucket": None}), "provenance_bucket: is missing"),
        (json.dumps(SETTINGS | {"digest_seconds": "often"}), "digest_seconds"),
    ],
)
def test_settings_that_are_none_are_named(platform, settings, problem):
    (platform.folder / "settings.json").write_text(settings)
    found = platform.custody("trace", f"s3://{RAW}/{A}")
    assert (found.status, problem in found.err) == (2, True)


def test_keys_that_are_none_are_named(platform):
    (platform.folder / "keys.json").write_text('{"v": 2}')
    found = platform.custody("verify", f"s3://{RAW}/{A}")
    assert found.status == 2
    assert "keys.json: keys.v: must be 1" in found.err


def test_what_aws_refuses_is_no_finding(platform):
    found = platform.custody("verify", "s3://custody-test-other/x")
    assert (found.status, "NoSuchBucket" in found.err) == (2, True)


def test_keys_are_asked_of_kms_and_cloudtrail_and_written_down(platform, monkeypatch, tmp_path):
    """Who signs the seal is another kind of key, which moto has not; the rest is asked for."""
    original, kms = boto3.client, signing_kms()

    def client(service, **how):
        return kms if service == "kms" else original(service, **how)

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setattr(
        "custody.cli.reading.deployment.fetch_seal_key", lambda _kms, _arn, _origin: RING.seal[0]
    )
    monkeypatch.setattr(
        "custody.cli.reading.deployment.fetch_digest_keys",
        lambda _client, _start, _end: RING.cloudtrail,
    )
    target, settings = tmp_path / "fetched.json", platform.folder / "settings.json"
    found = run("keys", "--settings", settings, "-o", target, "--json")
    assert found.status == 0
    assert {key["sha256"] for key in found.documents} == {name.sha256 for name in RING.names()}
    assert KeyRing.parse(target.read_bytes()).to_json() == RING.to_json()
    verified = run("verify", f"s3://{RAW}/{A}", "--settings", settings)
    assert verified.status == 0


def test_redrive_sends_the_dead_letters_back(platform):
    sqs = boto3.client("sqs", region_name=REGION)
    queues = {
        suffix: sqs.create_queue(QueueName=f"custody-test-{suffix}")["QueueUrl"]
        for suffix in ("recorder", "recorder-dlq")
    }
    sqs.send_message(QueueUrl=queues["recorder-dlq"], MessageBody="{}")
    found = platform.custody("redrive", "--json")
    assert (found.status, found.of_kind("summary")) == (0, [{"kind": "summary", "moved": 1}])
    received = sqs.receive_message(QueueUrl=queues["recorder"])
    assert [message["Body"] for message in received["Messages"]] == ["{}"]


def test_it_runs_without_airflow():
    code = (
        "import sys; sys.modules['airflow'] = None; sys.modules['pyspark'] = None\n"
        "from custody.cli.main import main\n"
        "sys.exit(main(['--help']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(PLUGINS)},
    )  # fmt: skip
    assert (ran.returncode, "custody" in ran.stdout) == (0, True)
