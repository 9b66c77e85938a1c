"""The life of a run: its states, its end by itself, by a stop, by time, by a kill, by a crash."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.patience import PATIENCE_SECONDS

from localaws.glue.account import RoleSession
from localaws.glue.jobruns import runner as module
from localaws.glue.jobruns.runner import Runner
from localaws.glue.jobruns.runs import JobRun, Runs
from localaws.glue.spark.configuration import SparkHome
from localaws.settings import Settings

TRUST = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "glue.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
}
WAIT = """
import pathlib, sys, time
print("waiting", flush=True)
while not pathlib.Path("go").exists():
    time.sleep(0.02)
"""


class NotFoundError(Exception):
    pass


class Client:
    """Every client in one: the few operations the runner calls."""

    class exceptions:  # noqa: N801 - as botocore names it
        NoSuchKey = NoSuchEntityException = ResourceAlreadyExistsException = NotFoundError

    def __init__(self, objects: dict[str, str], trust: dict[str, Any]) -> None:
        self.objects = objects
        self.trust = trust
        self.events: dict[tuple[str, str], list[str]] = {}

    def get_role(self, RoleName: str) -> dict[str, Any]:  # noqa: N803
        if RoleName != "glue":
            raise NotFoundError
        return {
            "Role": {
                "Arn": f"arn:aws:iam::111122223333:role/{RoleName}",
                "AssumeRolePolicyDocument": self.trust,
            }
        }

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "b"
        if Key not in self.objects:
            raise NotFoundError
        return {"Body": io.BytesIO(self.objects[Key].encode())}

    def create_log_group(self, **_: str) -> None:
        raise NotFoundError  # it exists

    def create_log_stream(self, **_: str) -> None:
        return

    def put_log_events(self, **names: Any) -> None:
        lines = [event["message"] for event in names["logEvents"]]
        self.events[(names["logGroupName"], names["logStreamName"])] = lines


class Account:
    def __init__(self, client: Client) -> None:
        self._client = client

    def client(self, service: str) -> Client:
        assert service == "iam"
        return self._client

    def take_role(self, _role_arn: str, session_name: str) -> RoleSession:
        assert len(session_name) <= 64
        return RoleSession("ASIAROLE", "role-secret", "role-token")

    def client_as(self, role: RoleSession, service: str) -> Client:
        assert (role.access_key_id, service) in {("ASIAROLE", "s3"), ("ASIAROLE", "logs")}
        return self._client


class Glue:
    """One server's life over a home; a second one over the same home is the server restarted."""

    def __init__(self, tmp_path: Path, home: SparkHome, script: str, **options: Any) -> None:
        self.settings = Settings(tmp_path / "home", 1, "111122223333", "us-east-1")
        self.client = Client(
            {"job.py": script, "lib.py": "VALUE = 42"}, options.pop("trust", TRUST)
        )
        self.runs = Runs(self.settings.state / "glue-runs")
        self.runs.load()
        account: Any = Account(self.client)
        self.runner = Runner(self.settings, account, home, self.runs, **options)

    def start(self, name: str = "1", **changes: Any) -> str:
        now = time.time()
        run = JobRun(
            id=f"jr_{name}",
            job_name="job",
            state="STARTING",
            arguments=changes.pop("arguments", {"--day": "2026-11-01"}),
            definition={
                "Role": "arn:aws:iam::111122223333:role/glue",
                "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/job.py"},
                **changes.pop("definition", {}),
            },
            timeout=60,
            started_on=now,
            last_modified_on=now,
        )
        run = replace(run, **changes)
        self.runs.save(run)
        self.runner.launch(run)
        return run.id

    def run(self, run_id: str) -> JobRun:
        found = self.runs.get(run_id)
        assert found is not None
        return found

    def folder(self, run_id: str) -> Path:
        return self.settings.glue / run_id

    def lives(self, run_id: str) -> bool:
        """Whether any process of the run does."""
        return module._locked(self.folder(run_id))

    def stop(self, run_id: str) -> None:
        self.runs.change(run_id, state="STOPPING")

    async def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            await asyncio.sleep(0.02)

    async def ended(self, run_id: str) -> JobRun:
        await self.until(lambda: self.run(run_id).ended)
        return self.run(run_id)

    async def waiting(self, run_id: str) -> int:
        """Wait until the script of `WAIT` has begun; its process group."""
        out = self.folder(run_id) / "stdout"
        await self.until(lambda: out.exists() and "waiting" in out.read_text())
        await self.until(lambda: self.run(run_id).process)
        process = self.run(run_id).process
        assert process is not None
        return process

    def crash(self) -> None:
        """The server is gone; what it started is not."""
        for task in list(self.runner._tasks.values()):
            task.cancel()


@pytest.fixture
def glue(
    tmp_path: Path, plain_home: SparkHome, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Glue]]:
    """Makes servers over one home; nobody listens on their port, and nothing of them stays."""
    monkeypatch.setattr(module, "_START_SECONDS", 0.0)
    made = []

    def make(script: str = WAIT, **options: Any) -> Glue:
        made.append(Glue(tmp_path, plain_home, script, **options))
        return made[-1]

    yield make
    for process in (p for local in made for p in local.runner._processes.values()):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def play(scenario: Awaitable[None]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scenario, PATIENCE_SECONDS * 2)

    asyncio.run(bounded())


def test_a_script_sees_its_arguments_its_role_and_its_libraries(
    glue: Callable[..., Glue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    local = glue("""
import json, os, sys
import lib
print(json.dumps(sys.argv[1:]))
print(lib.VALUE, os.environ["AWS_SESSION_TOKEN"], os.environ["AWS_ENDPOINT_URL"])
print(sorted(name for name in os.environ if "PROFILE" in name or "SERVER" in name))
print("oops", file=sys.stderr)
""")

    async def scenario() -> None:
        run_id = local.start(
            arguments={"--day": "2"},
            definition={
                "DefaultArguments": {"--day": "x", "--extra-py-files": "s3://b/lib.py"},
                "NonOverridableArguments": {"--fixed": "1"},
            },
        )
        run = await local.ended(run_id)

        assert (run.state, run.error_message) == ("SUCCEEDED", None)
        lines = (local.folder(run_id) / "stdout").read_text().splitlines()
        assert lines == [
            '["--day", "2", "--extra-py-files", "s3://b/lib.py", "--fixed", "1", '  # noqa: ISC004
            '"--JOB_NAME", "job", "--JOB_RUN_ID", "jr_1"]',
            "42 role-token http://127.0.0.1:1",
            "[]",
        ]
        assert local.client.events == {
            ("/aws-glue/jobs/output", run_id): lines,
            ("/aws-glue/jobs/error", run_id): ["oops"],
        }

    play(scenario())


def test_an_argument_chooses_the_script_unless_the_job_fixes_it(
    glue: Callable[..., Glue],
) -> None:
    local = glue("print('the job')")
    local.client.objects["evil.py"] = "print('another')"
    chosen = {"--scriptLocation": "s3://b/evil.py"}
    fixed = {"NonOverridableArguments": {"--scriptLocation": "s3://b/job.py"}}

    async def scenario() -> None:
        said = []
        for name, definition in (("1", {}), ("2", fixed)):
            run_id = local.start(name, arguments=chosen, definition=definition)
            run = await local.ended(run_id)
            said.append((local.folder(run.id) / "stdout").read_text())
        assert said == ["another\n", "the job\n"]

    play(scenario())


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise ValueError('it was bad')", "ValueError: it was bad"),
        ("import sys; sys.exit(3)", "Command failed with exit code 3"),
        ("syntax error", "SyntaxError: invalid syntax"),
    ],
)
def test_a_script_that_fails_says_why(glue: Callable[..., Glue], script: str, message: str) -> None:
    local = glue(script)

    async def scenario() -> None:
        run = await local.ended(local.start())
        assert (run.state, run.error_message) == ("FAILED", message)

    play(scenario())


def test_a_job_logs_where_its_prefix_its_configuration_and_its_role_say(
    glue: Callable[..., Glue],
) -> None:
    local = glue("print('said')")
    fixed = {"--custom-logGroup-prefix": "/aws-glue/mine"}
    definition = {"NonOverridableArguments": fixed, "SecurityConfiguration": "conf"}

    async def scenario() -> None:
        run = await local.ended(local.start(definition=definition))
        group = "/aws-glue/mine/conf-role/glue"
        assert local.client.events == {(f"{group}/output", run.id): ["said"]}
        assert run.api()["LogGroupName"] == group

    play(scenario())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Command": {"ScriptLocation": "s3://b/no.py"}}, "File not found: s3://b/no.py"),
        ({"Command": {"ScriptLocation": "/etc/passwd"}}, "is no s3:// location"),
        ({"Role": "nobody"}, "Role nobody does not exist"),
        ({"DefaultArguments": {"--additional-python-modules": "no-such-x"}}, "not installed"),
    ],
)
def test_a_run_that_cannot_begin_says_why(
    glue: Callable[..., Glue], changes: dict[str, Any], message: str
) -> None:
    local = glue()

    async def scenario() -> None:
        run = await local.ended(local.start(definition=changes))
        assert run.state == "FAILED"
        assert message in (run.error_message or "")
        assert run.process is None

    play(scenario())


def test_a_role_that_does_not_trust_glue_cannot_be_used(glue: Callable[..., Glue]) -> None:
    local = glue(trust={"Statement": []})

    async def scenario() -> None:
        run = await local.ended(local.start())
        assert "does not name glue.amazonaws.com" in (run.error_message or "")

    play(scenario())


def test_missing_jars_are_named_with_the_remedy(
    glue: Callable[..., Glue], plain_home: SparkHome
) -> None:
    gone = next(plain_home.jars.glob("*aws-java*"))
    gone.unlink()
    local = glue()

    async def scenario() -> None:
        run = await local.ended(local.start())
        assert f"lacks {gone.name}: run `make setup`" in (run.error_message or "")

    play(scenario())


def test_a_stop_ends_the_process_and_the_run(glue: Callable[..., Glue]) -> None:
    local = glue()

    async def scenario() -> None:
        run_id = local.start()
        await local.waiting(run_id)
        assert local.run(run_id).state == "RUNNING"
        local.stop(run_id)
        run = await local.ended(run_id)
        assert run.state == "STOPPED"
        assert not local.lives(run_id)

    play(scenario())


def test_a_script_that_ignores_a_stop_is_killed(
    glue: Callable[..., Glue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.2)
    local = glue("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAIT)

    async def scenario() -> None:
        run_id = local.start()
        await local.waiting(run_id)
        local.stop(run_id)
        assert (await local.ended(run_id)).state == "STOPPED"
        assert not local.lives(run_id)

    play(scenario())


def test_a_run_past_its_time_is_ended(glue: Callable[..., Glue]) -> None:
    local = glue(seconds_per_minute=0.005)

    async def scenario() -> None:
        run_id = local.start()
        run = await local.ended(run_id)
        assert (run.state, run.error_message) == (
            "TIMEOUT",
            "Job run exceeded its timeout of 60 min",
        )
        assert not local.lives(run_id)

    play(scenario())


@pytest.mark.parametrize("whole_group", [True, False])
def test_a_killed_process_fails_the_run(glue: Callable[..., Glue], whole_group: bool) -> None:
    local = glue("import os\nopen('pid', 'w').write(str(os.getpid()))\n" + WAIT)

    async def scenario() -> None:
        run_id = local.start()
        process = await local.waiting(run_id)
        if whole_group:
            os.killpg(process, signal.SIGKILL)
        else:
            os.kill(int((local.folder(run_id) / "pid").read_text()), signal.SIGKILL)
        run = await local.ended(run_id)
        assert run.state == "FAILED"
        assert "killed" in (run.error_message or "")

    play(scenario())


def test_more_runs_than_slots_wait_as_starting(glue: Callable[..., Glue]) -> None:
    local = glue(slots=2)

    async def scenario() -> None:
        first, second, third, fourth = (local.start(str(n)) for n in range(4))
        await local.waiting(first)
        await local.waiting(second)
        assert (local.run(third).state, local.run(fourth).state) == ("STARTING", "STARTING")
        local.stop(fourth)
        (local.folder(first) / "go").touch()
        await local.waiting(third)
        for run_id in (second, third):
            (local.folder(run_id) / "go").touch()
        states = [(await local.ended(run_id)).state for run_id in (first, second, third, fourth)]
        assert states == ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "STOPPED"]
        assert local.run(fourth).process is None

    play(scenario())


def test_a_restarted_server_takes_a_living_run_over(glue: Callable[..., Glue]) -> None:
    before = glue()

    async def scenario() -> None:
        run_id = before.start()
        await before.waiting(run_id)
        before.crash()
        after = glue()
        after.runner.recover()
        (after.folder(run_id) / "go").touch()
        assert (await after.ended(run_id)).state == "SUCCEEDED"

    play(scenario())


def test_a_restarted_server_fails_what_died_meanwhile(glue: Callable[..., Glue]) -> None:
    before = glue()

    async def scenario() -> None:
        run_id = before.start()
        process = await before.waiting(run_id)
        before.crash()
        os.killpg(process, signal.SIGKILL)
        await before.until(lambda: not before.lives(run_id))
        after = glue()
        after.runner.recover()
        run = await after.ended(run_id)
        assert run.state == "FAILED"
        assert run.error_message == "The job's processes were killed before the script ended"

    play(scenario())


def test_a_restarted_server_begins_what_had_not_begun(glue: Callable[..., Glue]) -> None:
    before = glue("print('done')", slots=0)

    async def scenario() -> None:
        run_id = before.start()
        before.crash()
        after = glue("print('done')")
        after.runner.recover()
        assert (await after.ended(run_id)).state == "SUCCEEDED"

    play(scenario())


def test_the_end_of_the_server_ends_its_runs(glue: Callable[..., Glue]) -> None:
    local = glue()

    async def scenario() -> None:
        run_id = local.start()
        await local.waiting(run_id)
        await local.runner.close()
        run = local.run(run_id)
        assert (run.state, run.error_message) == (
            "FAILED",
            "The local AWS was stopped while the job ran",
        )
        assert not local.lives(run_id)

    play(scenario())


def test_a_run_that_has_ended_changes_no_more(glue: Callable[..., Glue]) -> None:
    local = glue("print('done')")

    async def scenario() -> None:
        run = await local.ended(local.start())
        local.stop(run.id)
        assert local.run(run.id) == run

    play(scenario())


def test_a_stop_that_comes_while_a_run_begins_stays(glue: Callable[..., Glue]) -> None:
    local = glue()

    async def scenario() -> None:
        run_id = local.start()
        await local.waiting(run_id)
        local.stop(run_id)
        begun = local.runs.change(run_id, state="RUNNING", process=local.run(run_id).process)
        assert begun.state == "STOPPING"
        assert (await local.ended(run_id)).state == "STOPPED"

    play(scenario())
