"""One word, one meaning (docs/glossary.md): words that were given up do not come back."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What was said, and what is said now.
GIVEN_UP = {
    "squatters?": "undeclared object",
    "hearsay": "unproven claims",
    "takers?": "who assumed the role, or may",
    "keepers?": "declared writers of a prefix",
    "cataloguers?": "catalog writers",
    "culprits?": "actor",
    "offences?": "defect",
    "scribes?": "recording session",
    "illegible": "malformed, or unreadable",
    "landed_files": "custody gate",
    "landing_gate": "awaiting records",
    "witness_records": "stored records",
    "told_by": "what holds it",
}


def texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.sql", "*.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    # The change log and decisions say what was; this file names the words.
    kept = ("CHANGELOG.md", "docs/adr/", "tests/docs/test_words.py")
    return [ROOT / name for name in listed if not name.startswith(kept)]


@pytest.mark.parametrize("word", GIVEN_UP)
def test_a_word_that_was_given_up_does_not_come_back(word: str) -> None:
    pattern = re.compile(rf"(?<![A-Za-z]){word}(?![A-Za-z])", re.IGNORECASE)
    found = {
        str(path.relative_to(ROOT)): line.strip()
        for path in texts()
        if path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
        if pattern.search(line)
    }
    assert found == {}, f"say {GIVEN_UP[word]!r}"


def test_names_are_quoted_one_way() -> None:
    """With one backtick, as in Markdown, also in docstrings and comments."""
    twice = [
        str(path.relative_to(ROOT))
        for path in texts()
        if path.suffix == ".py"
        and "``" in re.sub(r"`{3}|r?\".*?``.*?\"", "", path.read_text(encoding="utf-8"))
    ]
    assert twice == []
