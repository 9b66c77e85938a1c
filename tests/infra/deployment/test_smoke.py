"""The first upload: what is uploaded, and which verdict ends the waiting."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
from infra.deployment.errors import DeployError
from infra.deployment.session import Session
from infra.deployment.smoke import _LEDGER, Smoke

from custody.core.ledger.tables import COLUMNS

OUTPUTS = {"RawBucket": "raw", "Database": "custody_dev", "Workgroup": "custody-dev"}
NO_VIEW = "TABLE_NOT_FOUND: line 1:46: Table 'provenance_ledger' does not exist"


class Aws:
    """S3 and Athena in one: one answer of the ledger for each question."""

    def __init__(self, *verdicts: str | None) -> None:
        self._verdicts = list(verdicts)
        self.uploaded: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []

    def client(self, _service: str) -> Aws:
        return self

    def put_object(self, **arguments: Any) -> dict[str, str]:
        self.uploaded = arguments
        return {"VersionId": "v1"}

    def start_query_execution(self, **arguments: Any) -> dict[str, str]:
        self.asked.append(arguments)
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, **_arguments: str) -> dict[str, Any]:
        if self._verdicts[0] == "NO_VIEW":
            self._verdicts.pop(0)
            return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": NO_VIEW}}}
        if self._verdicts[0] == "NO_RIGHT":
            return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": "no"}}}
        return {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}}

    def get_query_results(self, **_arguments: str) -> dict[str, Any]:
        verdict = self._verdicts.pop(0)
        cells = [{"VarCharValue": verdict}, {"VarCharValue": "why"}]
        rows = [{"Data": []}, *([{"Data": cells}] if verdict else [])]
        return {"ResultSet": {"Rows": rows}}


def upload(aws: Aws) -> list[str]:
    said: list[str] = []
    session = cast("Session", aws)
    Smoke(session, OUTPUTS, said.append, lambda _seconds: None).upload(session)
    return said


def test_waits_until_the_upload_is_verified() -> None:
    aws = Aws("NO_VIEW", None, "PENDING", "PENDING", "VERIFIED")
    said = upload(aws)
    assert said[1:] == ["PENDING: why", "VERIFIED: the deployment does its work"]
    key = aws.uploaded["Key"]
    assert key.startswith("incoming/smoke/dt=")
    assert (aws.uploaded["Bucket"], aws.uploaded["IfNoneMatch"]) == ("raw", "*")
    asked = aws.asked[0]["QueryString"]
    assert f"bucket = 'raw' AND object_key = '{key}' AND version_id = 'v1' AND dt >= '20" in asked


def test_the_ledger_has_the_columns_it_is_asked_for() -> None:
    asked = re.findall(r"(?:SELECT |, |WHERE |AND )([a-z_]+)", _LEDGER)
    assert asked == ["verdict", "verdict_reason", "bucket", "object_key", "version_id", "dt"]
    assert set(asked) <= {column.name for column in COLUMNS["ledger"]} | {"dt", "hour"}


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (("PENDING", "UNEXPECTED_PRINCIPAL"), r"s3://raw/.* is UNEXPECTED_PRINCIPAL: why"),
        (("NO_RIGHT",), "the ledger cannot be asked: FAILED: no"),
    ],
)
def test_another_verdict_ends_it_with_its_reason(verdicts: tuple[str, ...], said: str) -> None:
    with pytest.raises(DeployError, match=said):
        upload(Aws(*verdicts))
