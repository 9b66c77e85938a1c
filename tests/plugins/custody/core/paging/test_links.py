"""Links lead to the very thing, and nobody can type one that leads elsewhere."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.findings import finding

from custody.core.calls.kinds import USE, CallKind
from custody.core.calls.table import SERVICES
from custody.core.paging.guarded import GUARDED, guarded_by
from custody.core.paging.links import NOWHERE, Places

PLACES = Places("https://air/flow/", "dag", "scheduled__1+00:00", "eu-west-1", "aws", "trail")


def test_a_finding_leads_to_all_that_there_is() -> None:
    row = finding()
    assert PLACES.of_finding(row) == {
        "console": f"https://air/flow/custody/findings/{row.fingerprint}",
        "runbook": f"https://air/flow/custody/findings/{row.fingerprint}#runbook",
        "run": "https://air/flow/dags/dag/runs/scheduled__1%2B00%3A00",
        "object": (
            "https://eu-west-1.console.aws.amazon.com/s3/object/raw?region=eu-west-1"
            "&prefix=incoming%2Fcustomers%2Fdt%3D2026-11-01%2Fa+b.csv&versionId=v1"
        ),
        "log file": (
            "https://eu-west-1.console.aws.amazon.com/s3/object/trail?region=eu-west-1"
            "&prefix=AWSLogs%2Fl1.json.gz"
        ),
    }


@pytest.mark.parametrize(
    ("places", "row", "names"),
    [
        (NOWHERE, finding(), set()),
        (replace(PLACES, airflow=""), finding(), {"object", "log file"}),
        (replace(PLACES, partition="aws-iso"), finding(), {"console", "runbook", "run"}),
        (replace(PLACES, run_id=""), finding(log_key=None), {"console", "runbook", "object"}),
        (PLACES, finding(bucket="AwsControl"), {"console", "runbook", "run", "log file"}),
    ],
)
def test_what_nobody_knows_is_no_link(places: Places, row: object, names: set[str]) -> None:
    assert set(places.of_finding(row)) == names  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_whatever_somebody_typed_leads_to_no_other_place(key: str, version: str) -> None:
    row = replace(finding(), object_key=key, version_id=version, log_key=key)
    for link in PLACES.of_finding(row).values():
        assert link.isascii()
        assert link.isprintable()
        assert " " not in link
        assert urlsplit(link).hostname in {"air", "eu-west-1.console.aws.amazon.com"}
    asked = parse_qs(urlsplit(PLACES.of_finding(row)["object"]).query)
    assert asked["region"] == ["eu-west-1"]
    if key.isprintable():
        assert asked["prefix"] == [key]


def test_every_control_says_what_it_protects() -> None:
    controls = {
        (service, operation.thing)
        for service, operations in SERVICES.items()
        for operation in operations.values()
        if operation.kind is CallKind.CHANGES_A_CONTROL and operation.aspect != USE
    }
    # The catalog's tables are controls by another rule (`custody.core.ledger.kinds.undeclared`).
    assert GUARDED.keys() == controls | {("glue", "table")}


@pytest.mark.parametrize(
    ("control", "protects"),
    [
        ("s3/bucket/raw/notifications", "that the recorder hears of every file that lands"),
        ("s3/bucket/raw/policy", "who may read, write and remove what it holds"),
        ("glue/role/custody-dev-audit/use", "what works in the name of a role of the platform"),
        ("ssm/parameter/custody/dev/airflow", "the settings that Airflow works by"),
        (
            "cloudtrail/trail/custody-dev/selectors",
            "that every call is logged, and each log file proven",
        ),
        ("kms/unknown thing/x", "what the platform can do, see and tell"),
    ],
)
def test_what_a_control_protects(control: str, protects: str) -> None:
    assert guarded_by(control) == protects
