"""The table is whole, and the threat model lists exactly what it holds."""

import re

from tests.attacks.table import ATTACKS

from rehearsal.machine import REPOSITORY

MODEL = REPOSITORY / "docs" / "security" / "threat-model.md"
ROW = re.compile(r"^\| (?P<by>[^|]+) \| (?P<story>[^|]+) \| (?P<found>[^|]+) \|$", re.MULTILINE)


def rows() -> dict[str, re.Match[str]]:
    found = list(ROW.finditer(MODEL.read_text(encoding="utf-8")))
    attacks = [row for row in found if row["by"] != "who" and not row["by"].startswith("-")]
    listed = {row["story"]: row for row in attacks}
    assert len(listed) == len(attacks), "an attack is listed twice"
    return listed


def test_there_are_enough_attacks_and_each_is_one_of_its_own() -> None:
    stories = [attack.story for attack in ATTACKS]
    assert len(set(stories)) == len(stories) >= 190
    assert all(stories)


def test_the_threat_model_lists_every_attack_and_no_other() -> None:
    assert {(row["by"], row["story"]) for row in rows().values()} == {
        (attack.by, attack.story) for attack in ATTACKS
    }
