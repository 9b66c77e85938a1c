"""Who may upload which dataset: from the contracts to the policy of bronze."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from infra.build import REPOSITORY
from infra.deployment.errors import DeployError
from infra.deployment.templates.reading import FOLDER, load
from infra.deployment.uploads import Declared

RETURNS = (REPOSITORY / "tests/datasets/returns/returns.odcs.yaml").read_text(encoding="utf-8")
SHOP = "arn:aws:iam::111122223333:user/web-shop"
CRM = "arn:aws:iam::444455556666:role/exports/crm"
BOTH = f"{SHOP},{CRM}"


def declared(folder: Path, **uploaders: str) -> Declared:
    """The datasets of these names, with an uploader each."""
    for dataset, uploader in uploaders.items():
        body = RETURNS.replace("returns", dataset).replace("role: web-shop", f"role: {uploader}")
        (folder / f"{dataset}.odcs.yaml").write_text(body, encoding="utf-8")
    return Declared.read(folder)


def policy(name: str, template: dict[str, Any]) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = template["Resources"][f"{name}Policy"]["Properties"][
        "PolicyDocument"
    ]["Statement"]
    return statements


def place(dataset: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::${{Raw}}/incoming/{dataset}/*"}


def test_nobody_but_its_uploaders_writes_into_a_dataset(tmp_path: Path) -> None:
    uploads = declared(tmp_path, orders="web-shop", returns="web-shop", customers="crm")
    assert uploads.text == "customers=crm,orders returns=web-shop"
    template, before = (load(FOLDER / "storage.yaml") for _ in range(2))
    uploads.by(BOTH).declare(template)
    told = {s["Sid"]: s for s in policy("Raw", template)}
    elsewhere = told["DenyUploadsElsewhere"]
    assert elsewhere["NotResource"] == [
        place(dataset) for dataset in ("smoke", "customers", "orders", "returns")
    ]
    assert told["DenyUploadsByOthersThan1"] == {
        "Sid": "DenyUploadsByOthersThan1",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": [place("customers")],
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": [CRM]}},
    }
    assert told["DenyUploadsByOthersThan2"] == {
        **told["DenyUploadsByOthersThan1"],
        "Sid": "DenyUploadsByOthersThan2",
        "Resource": [place("orders"), place("returns")],
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": [SHOP]}},
    }
    # And nothing else is another.
    assert [s for s in policy("Raw", template) if "ByOthersThan" not in s["Sid"]] == [
        elsewhere if s["Sid"] == "DenyUploadsElsewhere" else s for s in policy("Raw", before)
    ]
    template["Resources"].pop("RawPolicy")
    before["Resources"].pop("RawPolicy")
    assert template == before


def test_a_template_that_nobody_completed_lets_a_deployment_only_be_tried() -> None:
    (elsewhere,) = [
        s
        for s in policy("Raw", load(FOLDER / "storage.yaml"))
        if s["Sid"] == "DenyUploadsElsewhere"
    ]
    assert (elsewhere["Effect"], elsewhere["NotResource"]) == ("Deny", [place("smoke")])


def test_a_wrong_contract_is_refused_by_file_line_and_field(tmp_path: Path) -> None:
    declared(tmp_path, orders="web-shop")
    wrong = RETURNS.replace("access: write", "access: read")
    (tmp_path / "orders.odcs.yaml").write_text(wrong, encoding="utf-8")
    line = wrong[: wrong.index("access: read")].count("\n") + 1
    with pytest.raises(DeployError) as refused:
        Declared.read(tmp_path)
    assert "nothing was changed" in str(refused.value)
    assert f"orders.odcs.yaml:{line}: roles[0].access: " in str(refused.value)


def test_a_dataset_of_nobody_is_refused_by_file_line_and_field(tmp_path: Path) -> None:
    uploads = declared(tmp_path, orders="web-shop", customers="crm")
    line = RETURNS[: RETURNS.index("roles:")].count("\n") + 1
    with pytest.raises(DeployError) as refused:
        uploads.by(SHOP)
    assert str(refused.value) == (
        f"nothing was changed:\n  {tmp_path}/customers.odcs.yaml:{line}: roles: nobody may upload "
        "customers: UploaderArns has no user or role called crm"
    )


def test_an_uploader_who_could_be_two_is_refused(tmp_path: Path) -> None:
    other = CRM.replace("444455556666", "777788889999")
    with pytest.raises(DeployError, match=rf"UploaderArns: {other} is called as another is"):
        declared(tmp_path, customers="crm").by(f"{CRM},{other}")


def test_who_is_known_to_one_side_only_is_told_and_who_loses_a_dataset(tmp_path: Path) -> None:
    uploads = declared(tmp_path, orders="web-shop", customers="crm")
    assert list(uploads.by(BOTH).remarks({}, {})) == []
    idle = "arn:aws:iam::111122223333:user/idle"
    before = {"UploaderArns": f"{BOTH},{idle}", "Uploads": "customers orders=crm web-shop"}
    lost = [f"{SHOP} may not upload customers", f"{CRM} may not upload orders"]
    told = list(uploads.by(f"{BOTH},{idle}").remarks(before, {}))
    assert told[0] == f"{idle} uploads no dataset: it is no role of any contract"
    assert sorted(line.partition(" any more")[0] for line in told[1:]) == lost
    former = {
        "FormerUploaders": f"{CRM}=2026-11-01T00:00:00Z,customers/{SHOP}=2026-11-01T00:00:00Z"
    }
    assert list(uploads.by(BOTH).remarks(before, former)) == []


def test_more_than_s3_takes_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    uploads = {f"dataset_{number:03}": ("web-shop",) for number in range(130)}
    uploading = Declared(tmp_path, dict(list(uploads.items())[:70])).by(BOTH)
    template = load(FOLDER / "storage.yaml")
    uploading.declare(template)
    # As S3 counts: with the longest names that a bucket has.
    text = json.dumps(policy("Raw", template), separators=(",", ":"))
    bucket = "arn:aws:s3:::custody-prod-raw-111122223333"
    written = text.replace("arn:${AWS::Partition}:s3:::${Raw}", bucket)
    written = written.replace('{"Fn::Sub":', "").replace('*"}', '*"')
    assert len(written) < 20 * 1024
    with pytest.raises(DeployError, match="the policy of a bucket"):
        Declared(tmp_path, uploads).by(BOTH)


def test_the_guide_names_who_uploads_each_dataset_that_is_here() -> None:
    """Whoever follows it to the letter deploys the contracts that come with the platform."""
    guide = (REPOSITORY / "docs" / "deploy.md").read_text("utf-8")
    (stage,) = re.findall(
        r"^```json\n(\{\n  \"account\".*?^\})\n```$", guide, re.MULTILINE | re.DOTALL
    )
    arns = json.loads(stage)["parameters"]["UploaderArns"]
    Declared.read(REPOSITORY / "include" / "contracts").by(",".join(arns))
