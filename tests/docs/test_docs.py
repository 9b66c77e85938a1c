"""What the documents name exists: files, headings, make targets, tables, runbooks."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from custody.core.paging.findings import SEVERITIES
from recorder import handler

ROOT = Path(__file__).parents[2]
NOT_OURS = {".venvs", ".git", "build", ".pytest_cache", "node_modules"}

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
# In code or after a prompt; in prose, "make" is an English word.
MAKE = re.compile(r"(?:`|\$ )make ([a-z][a-z0-9-]*)")
SQL = re.compile(r"^ *```sql\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"\b(?:FROM|JOIN) ([a-z_]+)")
DOC_PATH = re.compile(r"docs/[A-Za-z0-9/_-]+\.md")


def documents() -> list[Path]:
    found: list[Path] = []
    for folder, folders, files in ROOT.walk():
        folders[:] = set(folders) - NOT_OURS
        found += [folder / file for file in files if file.endswith(".md")]
    assert len(found) > 15, "the documents are not where this test looks"
    return sorted(found)


def sources() -> Iterator[Path]:
    for folder in ("dags", "plugins", "lambda", "include", "infra", "data", "diagrams"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".sql", ".yaml", ".jinja"}:
                yield path


def anchor(heading: str) -> str:
    """The anchor GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def anchors(document: Path) -> set[str]:
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    return {anchor(heading) for heading in HEADING.findall(text)}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", documents(), ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if link.startswith(("https://", "http://")):
            continue
        path, _, fragment = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", documents(), ids=name)
def test_make_targets_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    assert {"demo", "test"} <= targets
    assert set(MAKE.findall(document.read_text(encoding="utf-8"))) <= targets


@pytest.mark.parametrize("document", documents(), ids=name)
def test_queries_read_tables_that_exist(document: Path) -> None:
    tables = {path.stem.removeprefix("create_") for path in (ROOT / "include/sql").rglob("*.sql")}
    assert {"provenance_ledger", "reconciliation", "cloudtrail_logs"} <= tables
    queries = SQL.findall(document.read_text(encoding="utf-8"))
    assert {table for query in queries for table in TABLE.findall(query)} - {"t"} <= tables


def test_documents_named_in_the_code_exist() -> None:
    missing = {
        f"{name(path)}: {document}"
        for path in sources()
        for document in DOC_PATH.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / document).exists()
    }
    assert missing == set()


def test_every_verdict_that_pages_has_its_runbook() -> None:
    index = (ROOT / "docs/runbooks/README.md").read_text(encoding="utf-8")
    for verdict in SEVERITIES:
        runbook = ROOT / "docs" / "runbooks" / f"{verdict.lower()}.md"
        assert runbook.read_text(encoding="utf-8").startswith(f"# {verdict}\n")
        assert f"({runbook.name})" in index


def in_code(pattern: str, *folders: str) -> set[str]:
    found: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            found.update(re.findall(pattern, path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize(
    ("runbook", "names"),
    [
        ("recorder-dead-letters", {kind.__name__ for kind in handler._EXPLAINED}),
        ("glue-job-failed", in_code(r"(?m)^class (\w+Error)\(", "include/glue_jobs")),
        ("custody-gate", in_code(r'"((?:custody|file)\.[a-z_]+)"', "plugins/custody")),
    ],
)
def test_runbook_knows_every_failure_by_name(runbook: str, names: set[str]) -> None:
    text = (ROOT / "docs/runbooks" / f"{runbook}.md").read_text(encoding="utf-8")
    assert len(names) > 2
    assert {each for each in names if f"`{each}" not in text} == set()


@pytest.mark.parametrize("folder", ["docs/runbooks", "docs/adr"])
def test_index_lists_every_page(folder: str) -> None:
    pages = {path.name for path in (ROOT / folder).glob("*.md")} - {"README.md"}
    index = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    assert pages <= set(LINK.findall(index))


def test_decisions_have_their_three_parts() -> None:
    for path in (ROOT / "docs/adr").glob("[0-9]*.md"):
        headings = HEADING.findall(path.read_text(encoding="utf-8"))
        assert headings[0].startswith(path.name[:3]), path.name
        assert [h for h in headings if h in {"Context", "Decision", "Consequences"}] == [
            "Context",
            "Decision",
            "Consequences",
        ], path.name
