"""The cost of a month, and that it counts what the stacks make."""

from __future__ import annotations

import sys

import pytest
from infra.build import REPOSITORY
from infra.cost import __main__, monthly
from infra.cost.monthly import PRICES, Plan, parts
from tests.infra.cloudformation.templates.loaded import LOADED


def count(stack: str, kind: str) -> int:
    return sum(resource["Type"] == kind for resource in LOADED[stack]["Resources"].values())


def test_it_counts_what_the_stacks_make() -> None:
    interfaces = [
        resource
        for resource in LOADED["network"]["Resources"].values()
        if resource["Type"] == "AWS::EC2::VPCEndpoint"
        and resource["Properties"]["VpcEndpointType"] == "Interface"
    ]
    assert len(interfaces) == monthly.ENDPOINTS
    assert {len(each["Properties"]["SubnetIds"]) for each in interfaces} == {monthly.ZONES}
    assert count("keys", "AWS::KMS::Key") == monthly.KEYS
    assert count("observability", "AWS::CloudWatch::Alarm") == monthly.ALARMS
    classes = LOADED["root"]["Parameters"]["MwaaEnvironmentClass"]["AllowedValues"]
    assert set(PRICES["mwaa_hour"]) == set(classes)


def test_the_smallest_set_on_mwaa_is_what_the_document_says() -> None:
    found = parts(Plan(mwaa="mw1.small"))
    document = (REPOSITORY / "docs" / "cost.md").read_text()
    for part, dollars in (("MWAA", 358), ("endpoints", 161)):
        assert round(found[part]) == dollars
        assert f"${dollars}" in document
    nat = parts(Plan(mwaa="mw1.small", nat_gateways=1))
    assert "endpoints" not in nat
    assert round(nat["NAT gateways"]) == 33


def test_a_million_objects_cost_what_the_document_says() -> None:
    million = parts(Plan(objects_per_day=1_000_000))["objects that land"] / monthly.DAYS
    assert 34 < million < 36
    assert "**$35 per million objects**" in (REPOSITORY / "docs" / "cost.md").read_text()


def test_the_table_ends_with_the_sum_and_the_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["cost", "--mwaa", "mw1.small", "--nat-gateways", "2"])
    __main__.main()
    *rows, total, source = capsys.readouterr().out.splitlines()
    amounts = [float(row.rsplit(maxsplit=1)[1].replace(",", "")) for row in rows]
    assert float(total.split()[-2].replace(",", "")) == pytest.approx(sum(amounts), abs=0.05)
    assert PRICES["as_of"] in source
