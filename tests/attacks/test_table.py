"""The table is whole, and the threat model lists exactly what it holds."""

import re

import pytest
from tests.attacks.following import NOBODYS
from tests.attacks.table import ATTACKS
from tests.support.findings import finding
from tests.support.walks import steps

from custody.core.paging.findings import SEVERITIES
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


def test_every_verdict_that_pages_has_its_runbook_followed() -> None:
    """After an attack that is found as it, or where no attack brings it about."""
    found = {word for row in rows().values() for word in re.findall(r"[A-Z_]{6,}", row["found"])}
    assert (found & SEVERITIES.keys()) | NOBODYS.keys() == SEVERITIES.keys()
    assert not found & NOBODYS.keys()


SETTINGS = {
    name: name
    for name in ("project", "stage", "database", "trail_name", "trail_bucket", "provenance_bucket")
}


@pytest.mark.parametrize("verdict", SEVERITIES)
@pytest.mark.parametrize("named", [True, False], ids=["named", "nobody is named"])
def test_each_runbook_asks_whose_call_it_was(verdict: str, named: bool) -> None:
    """With no more than a page says, also if it names nobody."""
    who = {} if named else {"principal_arn": None, "event_id": None, "record_key": None}
    asked = [code for _, code in steps(finding(verdict, **who), SETTINGS)]
    assert any("arn" in code or "lookup-events" in code for code in asked)
    for code in asked:
        if "FROM cloudtrail_logs" in code and "GROUP BY" not in code:
            assert {"eventname", "eventid", "useridentity.arn"} <= set(re.findall(r"[\w.]+", code))
