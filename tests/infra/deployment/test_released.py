"""The contracts that run, against those that are to be deployed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import pytest
from infra.build import REPOSITORY, content_hash, sha256_sums
from infra.deployment.errors import DeployError
from infra.deployment.released import Compared, deployed_contracts
from infra.deployment.session import Session

RETURNS = (REPOSITORY / "tests/datasets/returns/returns.odcs.yaml").read_text(encoding="utf-8")
FILE = "returns.odcs.yaml"
FOLDER = Path("include/contracts")
BUNDLE = {f"contracts/{FILE}": RETURNS.encode(), "jobs/audit.py": b"pass\n"}


class Bucket:
    """The artifacts bucket: a session whose only client reads it."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def client(self, service: str) -> Bucket:
        assert service == "s3"
        return self

    class exceptions:  # noqa: N801 - botocore's name
        NoSuchKey = KeyError

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - S3's names
        return {"Body": io.BytesIO(self.files[f"{Bucket}/{Key}"])}


def bucket(**changed: bytes) -> tuple[Session, str]:
    """A bucket with the bundle, and where that lies."""
    place = f"code/{content_hash(BUNDLE)}"
    files = {**BUNDLE, "SHA256SUMS": sha256_sums(BUNDLE), **changed}
    held = Bucket({f"{place}/{name}": body for name, body in files.items()})
    return cast("Session", held), f"s3://{place}"


def compared(new: str, running: str = RETURNS) -> Compared:
    return Compared({FILE: running}, FOLDER, {FILE: new})


def test_the_contracts_that_run_are_those_of_the_bundle() -> None:
    assert deployed_contracts(*bucket()) == {FILE: RETURNS}


@pytest.mark.parametrize("file", ["SHA256SUMS", f"contracts/{FILE}"])
def test_another_bundle_than_its_place_names_is_not_believed(file: str) -> None:
    with pytest.raises(DeployError, match=f"{file} has not the SHA-256"):
        deployed_contracts(*bucket(**{file: b"another"}))


def test_without_the_bundle_that_runs_there_is_a_way_on() -> None:
    session, location = bucket()
    with pytest.raises(DeployError, match=r"/SHA256SUMS is not there.*--allow-downgrade"):
        deployed_contracts(session, f"{location}0")


def test_what_breaks_is_refused_by_file_line_and_field_until_the_version_says_so() -> None:
    new = RETURNS.replace("decimal(10,2)", "decimal(8,2)")
    line = new[: new.index("decimal(8,2)")].count("\n") + 1
    (refused,) = compared(new).refusals()
    assert refused == (
        f"include/contracts/{FILE}:{line}: amount_usd.physicalType: was decimal(10,2). Deployed is "
        "version 1.0.0: what breaks needs a higher MAJOR"
    )
    said = compared(new.replace("version: 1.0.0", "version: 2.0.0"))
    assert list(said.refusals()) == []
    assert list(said.remarks()) == [
        "returns 1.0.0 -> 2.0.0: amount_usd.physicalType: was decimal(10,2)"
    ]


def test_what_is_compatible_goes_through_and_is_told() -> None:
    same = compared(RETURNS)
    assert (list(same.refusals()), list(same.remarks())) == ([], [])
    more = compared(RETURNS.replace("maximum: 100000}", "maximum: 200000}"))
    assert list(more.refusals()) == []
    assert list(more.remarks()) == [
        "returns 1.0.0 -> 1.0.0: amount_usd.logicalTypeOptions.maximum: was 100000"
    ]


def test_a_dataset_that_is_new_or_no_more_breaks_nothing() -> None:
    assert list(Compared({}, FOLDER, {FILE: RETURNS}).remarks()) == []
    gone = Compared({FILE: RETURNS}, FOLDER, {})
    assert list(gone.refusals()) == []
    assert list(gone.remarks()) == [
        "returns has no contract any more: its tables stay, built no more"
    ]


def test_a_contract_that_this_version_cannot_read_is_not_compared() -> None:
    """What was deployed may be by rules that were others."""
    before = compared(RETURNS, running=RETURNS.replace("version: 1.0.0", "version: first"))
    assert list(before.refusals()) == []
    assert list(before.remarks()) == ["returns: what runs cannot be read by this version"]
