"""A local AWS that is started on another port finds its queues again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.infra.local.conftest import Server
from tests.support.patience import wait_for

from localaws.durability.moving import move

OLD, NEW = "http://127.0.0.1:4566", "http://127.0.0.1:5123"
QUEUE = "/111122223333/jobs"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "sqs.json").write_text(json.dumps({f"a\0r\0'{OLD}{QUEUE}'": f"{OLD}{QUEUE}"}))
    (tmp_path / "cloudformation.json").write_text(json.dumps({"PhysicalResourceId": OLD + QUEUE}))
    (tmp_path / "ssm.json").write_text(json.dumps({"Value": f"{OLD}/index.html"}))
    (tmp_path / "journal.jsonl").write_text(json.dumps({"queue": ["a", "r", OLD + QUEUE]}) + "\n")
    return tmp_path


def text(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.iterdir()))


def test_every_url_of_a_queue_moves_and_nothing_else(state: Path) -> None:
    before = text(state)
    move(state, state / "journal.jsonl", NEW)
    assert text(state) == before.replace(OLD + QUEUE, NEW + QUEUE)
    assert f"{OLD}/index.html" in text(state)


def test_in_its_place_nothing_is_written(state: Path) -> None:
    times = {path: path.stat().st_mtime_ns for path in state.iterdir()}
    move(state, state / "journal.jsonl", OLD)
    assert {path: path.stat().st_mtime_ns for path in state.iterdir()} == times


def test_a_move_that_was_cut_off_is_finished(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(path: Path, content: str) -> None:
        if path.name == "sqs.json":
            raise KeyboardInterrupt
        path.write_text(content)

    with monkeypatch.context() as patched:
        patched.setattr("localaws.durability.moving.write_private", cut_off)
        with pytest.raises(KeyboardInterrupt):
            move(state, state / "journal.jsonl", NEW)
    move(state, state / "journal.jsonl", NEW)
    assert OLD + QUEUE not in text(state)


def test_a_new_home_has_nothing_to_move(tmp_path: Path) -> None:
    move(tmp_path, tmp_path / "journal.jsonl", NEW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.crash
def test_a_stack_still_has_its_queue(own_server: Server) -> None:
    stacks, sqs = own_server.client("cloudformation"), own_server.client("sqs")
    template = {"Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs"}}}
    stacks.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": template}))
    wait_for(
        lambda: (
            stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        )
    )
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="jobs")["QueueUrl"], MessageBody="kept")
    own_server.kill()
    own_server.move()
    own_server.start()
    stacks, sqs = own_server.client("cloudformation"), own_server.client("sqs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    assert url.startswith(own_server.settings.endpoint + "/")
    # After a kill a message is hidden until the server has been listening for a moment.
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    assert message["Body"] == "kept"
    described = stacks.describe_stack_resources(StackName="s")["StackResources"]
    assert [resource["PhysicalResourceId"] for resource in described] == [url]
    stacks.delete_stack(StackName="s")
    wait_for(lambda: not sqs.list_queues().get("QueueUrls"))
