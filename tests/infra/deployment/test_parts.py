"""Which stacks a stage has, and what each of them is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from infra.deployment.parts import PARTS, Places
from infra.deployment.session import Session
from infra.deployment.stages import Place, Replica, Stage

HOME: Final = Place("custody", "dev", "111122223333", "eu-central-1")
THERE: Final = "arn:aws:iam::444455556666:role/deployer"
STAGE: Final = Stage(Path("dev.json"), HOME, {}, ("arn:aws:iam::111122223333:role/ci",), {})
COPIES: Final = next(part for part in PARTS if part.holds_copies)


def places(replica: Replica | None) -> Places:
    return Places(Session(HOME.region), replace(STAGE, replica=replica))


def test_a_stage_without_a_copy_has_no_stack_for_it() -> None:
    copied = Replica("eu-west-1", HOME.account, STAGE.deployers)
    assert places(copied).parts == PARTS
    assert places(None).parts == tuple(part for part in PARTS if part is not COPIES)


def test_in_the_same_account_the_same_people_look_after_the_copy() -> None:
    copied = places(Replica("eu-west-1", HOME.account, STAGE.deployers))
    assert copied.parameters(COPIES) == {"DeployerArns": "arn:aws:iam::111122223333:role/ci"}
    assert copied.service_role(COPIES, "role") == "role"


def test_in_another_account_the_copy_has_people_of_its_own() -> None:
    own = {"ErasureArns": "arn:aws:iam::444455556666:role/erasure"}
    copied = places(Replica("eu-west-1", "444455556666", (THERE,), THERE, own))
    assert copied.parameters(COPIES) == {
        "DeployerArns": THERE,
        "KeyAdministratorArns": "",
        **own,
    }
    assert copied.service_role(COPIES, "role") is None
    assert copied.service_role(PARTS[0], "role") == "role"
    assert copied.parameters(PARTS[0]) == {}
