"""The table is whole, and the threat model lists exactly what it holds."""

import re

from tests.attacks.table import ATTACKS, ROUNDS, TO_COME

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
    assert len(set(stories)) == len(stories) >= 40
    assert all(stories)


def test_only_what_is_to_come_is_not_made() -> None:
    made = [attack for round_ in ROUNDS for step in round_ for attack in step]
    assert all(attack.act for attack in made)
    assert not any(attack.act for attack in TO_COME)


def test_the_threat_model_lists_every_attack_and_no_other() -> None:
    assert {(row["by"], row["story"]) for row in rows().values()} == {
        (attack.by, attack.story) for attack in ATTACKS
    }


def test_the_threat_model_says_what_is_not_made_yet_and_by_which_detector() -> None:
    for attack in ATTACKS:
        found = rows()[attack.story]["found"]
        assert ("not yet" in found) is (attack.act is None), attack.story
        if attack.act is None:
            assert f"`{attack.detector.value}`" in found, attack.story
