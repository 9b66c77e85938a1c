from __future__ import annotations

from pathlib import Path

from localaws.access.root import RootKeys
from localaws.server.environment import server_environment
from localaws.settings import Settings


def test_the_users_own_aws_is_kept_out(tmp_path: Path) -> None:
    settings = Settings(tmp_path, 4600, "111122223333", "us-east-1")
    inherited = {"PATH": "/bin", "AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "t", "S3_PERSIST": "0"}
    environment = server_environment(settings, RootKeys("AKIAROOT", "secret"), inherited)
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert environment["PATH"] == "/bin"
    assert environment["S3_PERSIST"] == "1"
    assert environment["AUTH"] == "true"
    assert environment["AWS_ACCESS_KEY_ID"] == "AKIAROOT"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4600"
