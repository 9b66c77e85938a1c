"""What the documents name exists: files, commands, modules, parameters, tables, runbooks."""

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from tests.support.contracts import dataset_tables

from custody.cli import main as command_line
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
CONSOLE = re.compile(r"^ *```(?:console|sh)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
MODULE = re.compile(r"(?<![\w./])custody(?:\.[A-Za-z_]\w*)+")
REFUSAL = r'"((?:custody|file)\.[a-z_]+)"'
# The packages whose packages are rooms of the map.
TIERS = {"core", "aws"}
CAMEL_CASE = re.compile(r"`([A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+)`")
TITLE = re.compile(r"\*([A-Z][^*]+)\*")
GOLD = re.compile(r"/gold/([a-z_]+)/")
NAMED_TABLE = re.compile(r"\b(?:tables?|view) `([a-z_]+)`|`([a-z_]+)` table")
DOC_PATH = re.compile(r"docs/[A-Za-z0-9/_-]+\.md")


# What AWS and S3 call things that stand in no model of an operation.
AWS_WORDS = (
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfMessagesVisible",
    "AthenaUnloadOperator",  # considered, and not taken: ADR 023
)


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


def all_tables() -> set[str]:
    """Those that our SQL makes, and those that the contracts make."""
    files = (ROOT / "include/sql").rglob("*.sql")
    return {path.stem.removeprefix("create_") for path in files} | dataset_tables().keys()


@pytest.mark.parametrize("document", documents(), ids=name)
def test_queries_read_tables_that_exist(document: Path) -> None:
    tables = all_tables()
    assert {"provenance_ledger", "reconciliation", "cloudtrail_logs"} <= tables
    queries = SQL.findall(document.read_text(encoding="utf-8"))
    assert {table for query in queries for table in TABLE.findall(query)} - {"t"} <= tables


@pytest.mark.parametrize("document", documents(), ids=name)
def test_tables_that_are_spoken_of_exist(document: Path) -> None:
    tables = all_tables()
    named = NAMED_TABLE.findall(document.read_text(encoding="utf-8"))
    assert {first or second for first, second in named} <= tables


@pytest.mark.parametrize("document", documents(), ids=name)
def test_files_of_gold_are_of_tables_that_exist(document: Path) -> None:
    queries = {path.stem for path in (ROOT / "include/sql/gold").glob("*.sql")}
    assert set(GOLD.findall(document.read_text(encoding="utf-8"))) <= queries


def test_modules_that_are_named_exist() -> None:
    # What else is called so: an archive, a package's file, and why the gate refuses a file.
    no_modules = {"custody.zip", "custody.__file__"} | in_code(REFUSAL, "plugins/custody")
    missing = {
        f"{name(path)}: {module}"
        for path in (*documents(), *sources())
        for module in MODULE.findall(path.read_text(encoding="utf-8"))
        if not (exists(module) or module in no_modules)
    }
    assert missing == set()


def exists(dotted: str) -> bool:
    """Whether a dotted name leads to a package, a module or a name that a module defines.

    Nothing is imported: Spark and Airflow are in no one environment together.
    """
    place, parts = ROOT / "plugins", dotted.split(".")
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if not parts:
        return True
    module = place / f"{parts.pop(0)}.py"
    if not module.is_file():
        return False
    body = ast.parse(module.read_text(encoding="utf-8")).body
    for part in parts:
        found = [node for node in body if part in names_bound(node)]
        if not found:
            return False
        body = getattr(found[0], "body", [])
    return True


def names_bound(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Assign():
            return {target.id for target in node.targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name() as target):
            return {target.id}
    return set()


def test_an_invented_module_would_be_noticed() -> None:
    assert exists("custody.core.ledger")
    assert exists("custody.core.paging.findings.SEVERITIES")
    assert not exists("custody.core.paging.findings.SEVERITY_LIST")
    assert not exists("custody.core.ledgers.rows")


@pytest.mark.parametrize("document", documents(), ids=name)
def test_parameters_classes_and_errors_exist(document: Path) -> None:
    """A name of several words that is set as code is in the stacks, our code or AWS's models."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    assert {each for each in CAMEL_CASE.findall(text) if each not in words_of_the_code()} == set()


@cache
def words_of_the_code() -> frozenset[str]:
    folders = ("dags", "plugins", "lambda", "include", "infra", "tests")
    found: set[str] = set(AWS_WORDS)
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".yaml", ".json"}:
                found.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    session = botocore.session.get_session()
    for service in (
        "s3",
        "kms",
        "sqs",
        "glue",
        "lambda",
        "iam",
        "sts",
        "cloudtrail",
        "athena",
        "account",
    ):
        model = session.get_service_model(service)
        found.update(model.operation_names, model.shape_names)
        for shape in map(model.shape_for, model.shape_names):
            found.update(getattr(shape, "members", ()))
    return frozenset(found)


@pytest.mark.parametrize("document", documents(), ids=name)
def test_parameters_of_dags_exist(document: Path) -> None:
    """A line that speaks of a DAG's parameters, in italics as the form shows them."""
    titles = {
        path.stem: set(re.findall(r'title="([^"]+)"', path.read_text(encoding="utf-8")))
        for path in (ROOT / "dags").glob("*.py")
    }
    assert titles["provenance_reconcile"] > {"Window start"}
    unknown = [
        f"{dag}: {title}"
        for line in document.read_text(encoding="utf-8").splitlines()
        if "parameter *" in line or "trigger `" in line
        for dag in set(re.findall(r"`([a-z_]+)`", line)) & titles.keys()
        for title in TITLE.findall(line)
        if title not in titles[dag]
    ]
    assert unknown == []


@pytest.mark.parametrize("document", documents(), ids=name)
def test_commands_of_the_command_line_exist(document: Path) -> None:
    known = commands()
    assert {"verify", "seal"} <= known.keys()
    wrong = []
    for block in CONSOLE.findall(document.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if (
                words[:1] == ["custody"]
                and words[1:2] != ["--help"]
                and words[1:2] != ["--version"]
            ):
                flags = {word.partition("=")[0] for word in words if re.match(r"-[-a-z]", word)}
                if not flags <= known.get(words[1], set()):
                    wrong.append(line)
    assert wrong == []


def commands() -> dict[str, set[str]]:
    """The options of each command of `custody`."""
    parser = command_line._parser()
    found: dict[str, set[str]] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command, sub in action.choices.items():
                found[command] = set(sub._option_string_actions)
    return found


def test_the_map_shows_every_package_and_modules_that_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    package = ROOT / "plugins/custody"
    rooms = [path.parent.relative_to(package) for path in package.rglob("__init__.py")]
    packages = {
        str(room)
        for room in rooms
        if len(room.parts) == 1 or (len(room.parts) == 2 and room.parts[0] in TIERS)
    }
    assert {"core/ledger", "aws/s3", "spark"} <= packages
    shown = set(re.findall(r"`([a-z_]+(?:/[a-z0-9_]+)*)`", text))
    assert packages - {"core", "aws"} <= shown
    paths = {path for path in shown if path.split("/")[0] in {"core", "aws", "cli", "spark"}}
    assert {
        path
        for path in paths
        if not ((package / path).is_dir() or (package / f"{path}.py").is_file())
    } == set()


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


def test_every_other_page_is_in_the_index_too() -> None:
    index = (ROOT / "docs/runbooks/README.md").read_text(encoding="utf-8")
    kinds = in_code(r"Head\(\s*([A-Z_]+),", "plugins/custody/core/paging")
    assert {"DEAD_LETTERS", "RUN_FAILED", "STANDING"} <= kinds
    assert [kind for kind in kinds if f"| page `{kind}`" not in index] == []


def in_code(pattern: str, *folders: str) -> set[str]:
    found: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            found.update(re.findall(pattern, path.read_text(encoding="utf-8")))
    return found


BUILDING = (
    "plugins/custody/spark",
    *("plugins/custody/aws/publications", "plugins/custody/core/publications"),
    *("plugins/custody/aws/lineage", "plugins/custody/core/lineage"),
)
"""Where that lies which fails when a day is built and published."""


@pytest.mark.parametrize(
    ("runbook", "names"),
    [
        ("recorder-dead-letters", {kind.__name__ for kind in handler._EXPLAINED}),
        (
            "glue-job-failed",
            in_code(r"(?m)^class (\w+)\(Exception\)", *BUILDING) - {"Refused"},  # one file's
        ),
        ("custody-gate", in_code(REFUSAL, "plugins/custody")),
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
