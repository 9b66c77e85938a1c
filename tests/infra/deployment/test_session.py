"""Where the region comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from infra.deployment.errors import DeployError
from infra.deployment.session import Session, region_of_environment, region_of_variables


@pytest.mark.parametrize(
    ("variables", "named", "region"),
    [
        (
            {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"},
            "eu-west-2",
            "eu-west-2",
        ),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3", "eu-west-3"),
        ({}, None, "eu-north-1"),
    ],
)
def test_the_region_is_found_as_awss_own_tools_find_it(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    named: str | None,
    region: str,
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert region_of_variables() == named
    assert region_of_environment() == region


def test_an_endpoint_that_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:4566")
    with pytest.raises(DeployError, match=r"Invalid endpoint: 127\.0\.0\.1:4566"):
        _ = Session("eu-central-1").endpoint
