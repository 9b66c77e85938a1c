"""The command's arguments, settings, keys and exit status."""

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import PartialCredentialsError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.support.audited import PROVENANCE, RAW, RING, SETTINGS, A, run
from tests.support.moto_aws import REGION, signing_kms

from custody.cli.arguments import SETTINGS_VARIABLE
from custody.cli.errors import explain
from custody.cli.main import main
from custody.cli.version import VERSION
from custody.core.case.key_ring import KeyRing

REPOSITORY = Path(__file__).parents[4]
PLUGINS = REPOSITORY / "plugins"
PARAMETER = "/custody/test/airflow/variables/custody"
COMMANDS = ["verify", "trace", "trail", "seal", "prove", "export", "check", "keys", "redrive"]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_says_how_a_command_ends(capsys, command):
    with pytest.raises(SystemExit) as left:
        main([*([command] if command else []), "--help"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    assert "exit status" in told
    assert command is not None or all(name in told for name in COMMANDS)


@pytest.mark.parametrize("args", [["other"], ["verify"], ["trail", "--since", "yesterday"]])
def test_wrong_usage_ends_with_2(capsys, args):
    with pytest.raises(SystemExit) as left:
        main(args)
    assert left.value.code == 2
    assert "usage: custody" in capsys.readouterr().err


def test_without_a_command_it_shows_its_help_and_ends_with_2():
    """A script that forgot the command must not take that for "all is well"."""
    found = run()
    assert (found.status, found.out) == (2, "")
    assert all(name in found.err for name in (*COMMANDS, "exit status"))


def test_it_tells_the_version_that_is_packaged(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert (left.value.code, capsys.readouterr().out) == (0, f"custody {VERSION}\n")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    packaged = project["tool"]["setuptools"]["dynamic"]["version"]
    assert packaged == {"attr": "custody.cli.version.VERSION"}


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
    ssm.put_parameter(Name=PARAMETER, Value=json.dumps(SETTINGS), Type="String")
    keys = platform.folder / "keys.json"
    found = run("verify", f"s3://{RAW}/{A}", "--settings", f"ssm:{PARAMETER}", "--keys", keys)
    assert found.status == 0
    found = run("verify", f"s3://{RAW}/{A}", "--settings", "ssm:/other", "--keys", keys)
    assert (found.status, "ParameterNotFound" in found.err) == (2, True)
    assert f"/other in {REGION}" in found.err


@pytest.mark.parametrize("default", [None, "us-west-2"])
def test_the_region_of_a_parameter_is_that_of_aws_region(platform, monkeypatch, default):
    """As in AWS's other tools, which AWS_DEFAULT_REGION does not outdo."""
    ssm = boto3.client("ssm", region_name=REGION)
    ssm.put_parameter(Name=PARAMETER, Value=json.dumps(SETTINGS), Type="String")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    if default is not None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", default)
    monkeypatch.setenv("AWS_REGION", REGION)
    keys = platform.folder / "keys.json"
    found = run("verify", f"s3://{RAW}/{A}", "--settings", f"ssm:{PARAMETER}", "--keys", keys)
    assert (found.status, found.err) == (0, "")


def test_without_a_region_it_says_where_one_is_set(platform, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    found = run("verify", f"s3://{RAW}/{A}", "--settings", f"ssm:{PARAMETER}")
    assert found.status == 2
    assert "set AWS_REGION" in found.err
    assert "profile" in found.err


@pytest.mark.parametrize(
    ("variables", "remedy"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "set AWS_PROFILE"),
        ({"AWS_PROFILE": "nobody"}, "AWS_PROFILE"),
    ],
)
def test_without_credentials_it_says_how_to_give_some(tmp_path, variables, remedy):
    (tmp_path / "settings.json").write_text(json.dumps(SETTINGS))
    command = ["verify", f"s3://{RAW}/{A}", "--settings", str(tmp_path / "settings.json")]
    ran = subprocess.run(
        [sys.executable, "-c", "from custody.cli.main import run; run()", *command],
        capture_output=True, text=True, check=False,
        env={
            "PYTHONPATH": str(PLUGINS),
            "PATH": os.environ["PATH"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            **variables,
        },
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert remedy in ran.stderr
    assert "Traceback" not in ran.stderr


def test_half_of_the_credentials_are_named(monkeypatch):
    error = PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY")
    assert "AWS_SECRET_ACCESS_KEY" in explain(error)
    assert "set AWS_PROFILE" in explain(error)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "must be an object"),
        (json.dumps(SETTINGS | {"provenance_bucket": None}), "provenance_bucket: is missing"),
        (json.dumps(SETTINGS | {"digest_seconds": "often"}), "digest_seconds"),
        (json.dumps(SETTINGS | {"trail_name": 1}), "trail_name: must be a text"),
    ],
)
def test_settings_that_are_none_are_named(platform, settings, problem):
    (platform.folder / "settings.json").write_text(settings)
    found = platform.custody("trace", f"s3://{RAW}/{A}")
    assert (found.status, problem in found.err) == (2, True)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"signing_key_arn": "alias/records"}, "'alias/records' is no ARN of a KMS key"),
        ({"signing_key_arn": None}, "settings.json.signing_key_arn: is missing"),
        ({"former_signing_keys": "arn"}, "settings.json.former_signing_keys: 'arn'"),
    ],
)
def test_settings_of_keys_that_are_none_are_named(platform, changed, problem):
    settings = platform.folder / "settings.json"
    settings.write_text(json.dumps(SETTINGS | changed))
    found = run("keys", "--settings", settings, "-o", platform.folder / "fetched.json")
    assert (found.status, found.out) == (2, "")
    assert problem in found.err


@pytest.mark.parametrize("option", ["--settings", "--keys", "--from"])
def test_a_file_that_is_not_there_is_named(platform, option):
    found = platform.custody("verify", f"s3://{RAW}/{A}", option, platform.folder / "none")
    assert (found.status, found.out) == (2, "")
    assert str(platform.folder / "none") in found.err


def test_a_file_of_a_copy_that_may_not_be_read_is_named(platform, monkeypatch, tmp_path):
    platform.copy(tmp_path / "copy")
    read = Path.open

    def refuse(path, *args, **how):
        if path.name.endswith(".json") and path.is_relative_to(tmp_path / "copy" / PROVENANCE):
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *args, **how)

    monkeypatch.setattr(Path, "open", refuse)
    found = platform.custody("verify", f"s3://{RAW}/{A}")
    assert (found.status, found.out) == (2, "")
    assert f"{tmp_path / 'copy' / PROVENANCE}" in found.err
    assert "Permission denied" in found.err


def test_an_error_of_our_own_is_no_finding(platform, monkeypatch):
    """Python itself would end with 1, which says that something is wrong with the evidence."""

    def fail(*_args, **_options):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("custody.cli.commands.verify.verify", fail)
    found = platform.custody("verify", f"s3://{RAW}/{A}")
    assert (found.status, found.out) == (2, "")
    assert "ZeroDivisionError" in found.err
    assert "a bug of custody" in found.err


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
    monkeypatch.setattr("custody.reading.deployment.fetch_seal_keys", lambda *_asked: RING.seal[0])
    monkeypatch.setattr(
        "custody.reading.deployment.fetch_digest_keys",
        lambda _client, _start, _end: RING.cloudtrail,
    )
    target, settings = tmp_path / "fetched.json", platform.folder / "settings.json"
    found = run("keys", "--settings", settings, "-o", target, "--json")
    assert found.status == 0
    assert {key["sha256"] for key in found.documents} == {name.sha256 for name in RING.names()}
    assert KeyRing.parse(target.read_bytes()).to_json() == RING.to_json()
    verified = run("verify", f"s3://{RAW}/{A}", "--settings", settings)
    assert (verified.status, "nothing is pinned" in verified.err) == (0, True)
    again = run("keys", "--settings", settings, "-o", target, "--keys", target, "--json")
    assert (again.status, {key["new"] for key in again.documents}) == (0, {False})
    before = target.read_bytes()
    settings.write_text(json.dumps(SETTINGS | {"trail_name": "quiet"}))
    moved = run("keys", "--settings", settings, "-o", target, "--keys", target)
    assert (moved.status, "the trail is quiet" in moved.out) == (1, True)
    assert target.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"trail_name": "quiet"}, "the trail is quiet, not custody-test"),
        ({"trail_bucket": "custody-other"}, "the trail bucket is custody-other"),
        ({"raw_bucket": "custody-other"}, "the raw bucket is custody-other"),
        ({"provenance_bucket": "custody-other"}, "the provenance bucket is custody-other"),
        ({"digest_seconds": "86400"}, "the period of a digest is 86400 s, not 3600 s"),
        ({"account_id": "999988887777"}, "the account is 999988887777"),
        ({"region": "eu-west-1"}, "the region is eu-west-1"),
    ],
)
def test_settings_that_are_not_those_of_the_file_of_keys_are_a_finding(platform, changed, what):
    (platform.folder / "settings.json").write_text(json.dumps(SETTINGS | changed))
    found = platform.custody("seal", "--json")
    (finding,) = found.documents
    assert (found.status, finding["kind"]) == (1, "finding")
    assert what in finding["reason"]


def test_keys_that_name_their_deployment_need_no_settings(platform):
    keys = platform.folder / "keys.json"
    assert run("verify", f"s3://{RAW}/{A}", "--keys", keys).status == 0
    assert run("seal", "--keys", keys).status == 0


def test_what_the_keys_do_not_say_asks_for_the_settings_beside_them(platform):
    keys = platform.folder / "keys.json"
    for command in (("redrive",), ("report", "-o", platform.folder / "a.html")):
        asked = run(*command, "--keys", keys)
        assert (asked.status, "more than the keys say: give --settings" in asked.err) == (2, True)


def test_keys_that_do_not_name_their_deployment_are_a_gap(platform):
    keys = platform.folder / "keys.json"
    keys.write_bytes(replace(RING, deployment=None).to_json())
    found = platform.custody("verify", f"s3://{RAW}/{A}", "--json")
    assert (found.status, [gap["gap"] for gap in found.of_kind("gap")]) == (2, ["deployment"])
    waived = platform.custody("verify", f"s3://{RAW}/{A}", "--waive", "deployment")
    assert (waived.status, "waived: deployment" in waived.out) == (0, True)
    nothing = run("verify", f"s3://{RAW}/{A}", "--keys", keys, "--waive", "deployment")
    assert (nothing.status, "which deployment?" in nothing.err) == (2, True)


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


def test_it_runs_where_it_is_not_installed():
    ran = subprocess.run(
        [sys.executable, "-m", "custody.cli", "--version"],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(PLUGINS)},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, f"custody {VERSION}\n")


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


def installed_with(requirements):
    """The packages that come with these, by the markers of this machine."""
    found = set()
    asked = [Requirement(text) for text in requirements]
    while asked:
        each = asked.pop()
        name = canonicalize_name(each.name)
        if name not in found and (each.marker is None or each.marker.evaluate({"extra": ""})):
            found.add(name)
            asked += map(Requirement, distribution(name).requires or ())
    return found


WITHOUT = """
import json, sys
absent = set(json.loads(sys.argv[1]))
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import custody.cli.main
"""


def test_pip_installs_all_that_an_auditor_needs():
    """Airflow brings much more, which an auditor does not have."""
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    installed = {"custody", *installed_with(declared["dependencies"])}
    absent = [
        module
        for module, owners in packages_distributions().items()
        if installed.isdisjoint(map(canonicalize_name, owners))
    ]
    assert {"airflow", "fastapi"} <= set(absent)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, json.dumps(absent)],
        env={"PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
