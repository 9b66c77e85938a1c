"""Assemble what is deployed beside the templates, byte for byte the same from the same sources.

`build/lambda/recorder.zip`
    The recorder with the modules of `custody` that it imports, and no others.
`build/bundle/`
    What Glue fetches at run time: the jobs' scripts, `custody.zip` for `--extra-py-files`, the
    wheels of the modules that Glue lacks, the data contracts and the gold SQL; the recorder once
    more; and `SHA256SUMS` of them all. It is uploaded under its content hash, so that a running job
    keeps the code it started with. The content hash is that of `SHA256SUMS`: whoever knows it can
    check every file.

Needs no network: `infra/setup` has fetched the wheels. Prints the bundle's content hash. The
archives hold sorted names, one fixed time and stored (not compressed) bytes: compression differs
between zlib builds.

    python infra/build.py [--target build]
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

# The parts of the package that the jobs run on: all that needs no Airflow.
JOBS = ("core", "aws", "spark", "objects.py", "settings.py", "cosigner_client.py")

SUMS = "SHA256SUMS"

# One pinned module of a lock file that uv wrote, with the hashes it may have.
_PINNED = re.compile(r"^([\w.-]+==[\w.]+)[^\n]*\\\n((?: +--hash=[^\n]+\n?)+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

# Zip's own beginning of time.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class BuildError(Exception):
    """A source that should be there is not; the message names it."""


def build(repository: Path, target: Path) -> str:
    """Make `target` hold what the sources in `repository` say; return the bundle's hash."""
    package = repository / "plugins" / "custody"
    recorder = _package(repository / "lambda" / "recorder" / "recorder")
    recorder |= _imported(recorder, _package(package))
    function = zipped(recorder)
    bundle = {
        # With it, `SHA256SUMS` says to those who judge which recorder was deployed.
        "recorder.zip": function,
        "custody.zip": zipped(_package(package, JOBS)),
        "modules.gluewheels.zip": _modules(
            repository / "include" / "glue_jobs" / "modules.txt", repository / ".venvs" / "wheels"
        ),
        **_texts(repository / "include" / "glue_jobs", "*.py", "jobs"),
        **_texts(repository / "include" / "contracts", "*.odcs.yaml", "contracts"),
        **_texts(repository / "include" / "sql" / "gold", "*.sql", "sql/gold"),
    }
    sync(target / "lambda", {"recorder.zip": function})
    sync(target / "bundle", bundle | {SUMS: sha256_sums(bundle)})
    return content_hash(bundle)


def content_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) of `sha256_sums` of the files."""
    return hashlib.sha256(sha256_sums(files)).hexdigest()


def sha256_sums(files: Mapping[str, bytes]) -> bytes:
    """Hash and name of each file, in name order, as `sha256sum --check` reads them."""
    # A line has one meaning only: its hash has a fixed length, its name ends it.
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def _modules(lock: Path, wheels: Path) -> bytes:
    """The wheels that a lock file names, in the form in which Glue installs them without an index.

    Using Python libraries with AWS Glue, "zip of wheels": the wheels and a `requirements.txt` in
    one folder. Raises `BuildError` if one of them is not there with a hash that the lock names.
    """
    found = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in wheels.glob("*.whl")}
    files: dict[str, bytes] = {}
    names: list[str] = []
    for pinned, hashes in _PINNED.findall(lock.read_text(encoding="utf-8")):
        wheel = next((found[h] for h in _HASH.findall(hashes) if h in found), None)
        if wheel is None:
            raise BuildError(f"{wheels} has no wheel of {pinned} ({lock}): run `make setup`")
        files[f"wheels/{wheel.name}"] = wheel.read_bytes()
        names.append(f"{pinned}\n")
    if not names:
        raise BuildError(f"{lock} names no module")
    return zipped(files | {"wheels/requirements.txt": "".join(names).encode()})


def _package(root: Path, parts: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The Python files of a package by their name in an archive; of these `parts` only, if any."""
    init = root / "__init__.py"
    if not init.is_file():
        raise BuildError(f"{init} is missing: {root.name} is not a package")
    places = [root / part for part in parts] or [root]
    folders = (file for place in places if place.is_dir() for file in place.rglob("*.py"))
    files = {init, *folders, *(place for place in places if place.is_file())}
    return {file.relative_to(root.parent).as_posix(): file.read_bytes() for file in files}


def _imported(code: Mapping[str, bytes], library: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a library that some code imports, directly or not, with their packages."""
    found: dict[str, bytes] = {}
    pending = list(code.values())
    while pending:
        for module in _modules_named(pending.pop()):
            parts = module.split(".")
            steps = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
            for name in (*(f"{step}/__init__.py" for step in steps), f"{steps[-1]}.py"):
                if name in library and name not in found:
                    found[name] = library[name]
                    pending.append(library[name])
    return found


def _modules_named(source: bytes) -> Iterator[str]:
    """Whatever may be a module among what a source imports, when it runs or when it is called."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _texts(source: Path, pattern: str, folder: str) -> dict[str, bytes]:
    files = list(source.glob(pattern))
    if not files:
        raise BuildError(f"{source} has no {pattern}")
    return {f"{folder}/{file.name}": file.read_bytes() for file in files}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The files as an archive whose bytes depend on their names and contents alone."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3  # Unix, wherever this runs: the mode above is a Unix one
            written.writestr(entry, content)
    return archive.getvalue()


def sync(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` hold these files and no others.

    What is right already is left alone, so that a deployment that reads the folder is not
    disturbed by another build of the same sources.
    """
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder.parent, delete=False) as written:
            written.write(content)
        Path(written.name).replace(path)


def main() -> None:
    """Build into the target folder and print the bundle's content hash."""
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument(
        "--target", type=Path, default=REPOSITORY / "build", help="folder to build in"
    )
    try:
        print(build(REPOSITORY, parser.parse_args().target))
    except (BuildError, OSError) as error:
        sys.exit(f"build: {error}")


if __name__ == "__main__":
    main()
