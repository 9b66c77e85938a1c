"""Each control that docs/security/controls.md promises is held by tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTROLS = ROOT / "docs" / "security" / "controls.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROW = re.compile(r"^\| (?!control \|)[^|]+\|.*$", re.MULTILINE)


def names_in(file: str) -> set[str]:
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef)}


def test_each_control_is_held_by_tests_that_exist() -> None:
    rows = ROW.findall(CONTROLS.read_text(encoding="utf-8"))
    assert len(rows) > 15
    assert [row for row in rows if not TEST.search(row)] == []
    named = [pair for row in rows for pair in TEST.findall(row)]
    assert [pair for pair in named if pair[1] not in names_in(pair[0])] == []


def test_each_control_has_its_number() -> None:
    for row in ROW.findall(CONTROLS.read_text(encoding="utf-8")):
        _, nist, cis = (cell.strip() for cell in row.split("|")[1:4])
        assert re.fullmatch(r"[A-Z]{2}-\d+(\(\d+\))?(, [A-Z]{2}-\d+(\(\d+\))?)*", nist), row
        assert re.fullmatch(r"-|\d+(\.\d+)+(, \d+(\.\d+)+)*", cis), row
