"""What runs is held against the bundle whose hash the deployment named."""

from __future__ import annotations

import hashlib

import pytest
from infra.build import content_hash, sha256_sums

from custody.core.lineage.model import Material
from custody.core.runs.code import OtherCode, check_code

FILES = {"custody.zip": b"package", "jobs/reconcile.py": b"script", "contracts/x.yaml": b"contract"}
SUMS = sha256_sums(FILES)
LOCATION = f"s3://custody-dev-artifacts/{content_hash(FILES)}"


def running(script: bytes = b"script", package: bytes = b"package") -> list[Material]:
    return [
        Material(name, hashlib.sha256(content).hexdigest())
        for name, content in (("script", script), ("package", package))
    ]


def test_the_code_of_the_bundle_may_run() -> None:
    check_code(SUMS, LOCATION, running())
    check_code(SUMS, f"{LOCATION}/", running())


@pytest.mark.parametrize(
    ("script", "package", "said"),
    [
        (b"other", b"package", "the script that runs"),
        (b"script", b"other", "the package that runs"),
        (b"package", b"package", "the script that runs"),
        (b"script", b"script", "the package that runs"),
        (b"contract", b"package", "the script that runs"),
    ],
)
def test_other_code_is_told(script: bytes, package: bytes, said: str) -> None:
    with pytest.raises(OtherCode, match=said):
        check_code(SUMS, LOCATION, running(script, package))


@pytest.mark.parametrize("sums", [b"", SUMS + b"\n", sha256_sums(FILES | {"custody.zip": b"x"})])
def test_a_list_that_is_not_the_deployed_one_is_not_believed(sums: bytes) -> None:
    with pytest.raises(OtherCode, match="has not the SHA-256 that its place names"):
        check_code(sums, LOCATION, running(package=b"x"))
