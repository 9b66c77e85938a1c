"""Each decision says whether it still stands; the index and the other decisions agree with it."""

import re
from pathlib import Path

import pytest

ADR = Path(__file__).parents[2] / "docs" / "adr"
FILES = sorted(ADR.glob("0*.md"))
HEAD = re.compile(
    r"# (?P<number>\d{3}):? (?P<title>.+)\n\n"
    r"\* Status: (?P<status>accepted|replaced by .+)\n"
    r"\* Date: 20\d\d-\d\d-\d\d\n"
    r"(?:\* Amended by: (?P<amended_by>.+)\n)?"
    r"(?:\* Replaces: (?P<replaces>.+)\n)?"
    r"(?:\* Amends: (?P<amends>.+)\n)?"
    r"\n## Context\n"
)
LINK = re.compile(r"\[(\d{3})\]\((\d{3}-[a-z0-9-]+\.md)\)")
INVERSE = {"amended_by": "amends", "amends": "amended_by", "replaces": "status"}


def head(file: Path) -> dict[str, str]:
    found = HEAD.match(file.read_text(encoding="utf-8"))
    assert found, f"{file.name} does not begin as docs/adr/README.md shows"
    return {name: text or "" for name, text in found.groupdict().items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_decision_begins_with_its_number_status_and_date(file: Path) -> None:
    assert head(file)["number"] == file.name[:3]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_decisions_agree_on_which_changed_which(file: Path) -> None:
    said = head(file)
    for field, inverse in INVERSE.items():
        for number, name in LINK.findall(said[field]):
            assert name.startswith(number)
            assert f"[{said['number']}]({file.name})" in head(ADR / name)[inverse]
    for _, name in LINK.findall(said["status"]):
        assert f"[{said['number']}]({file.name})" in head(ADR / name)["replaces"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_index_gives_title_and_status(file: Path) -> None:
    said = head(file)
    status = LINK.sub(r"\1", said["status"])
    if said["amended_by"]:
        status += ", amended by " + LINK.sub(r"\1", said["amended_by"])
    row = f"| [{said['number']}]({file.name}) | {said['title']} | {status} |"
    assert row in (ADR / "README.md").read_text(encoding="utf-8").splitlines()
