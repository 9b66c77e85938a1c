"""Build the bundle and print its content hash: `python -m infra.bundle`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.build import REPOSITORY, BuildError, content_hash, sync
from infra.bundle.checking import faults
from infra.bundle.contents import contents, packages_of
from infra.bundle.requirements import RequirementError
from infra.bundle.wheels import wheels

TARGET = REPOSITORY / "build" / "mwaa"


def build(repository: Path, target: Path, *, from_index: bool = False) -> str:
    """Make `target` hold the bundle of the sources in `repository`; return its content hash.

    Raises:
        BuildError: a source or a wheel is missing, or the bundle would not work on MWAA.
    """
    try:
        packages = packages_of(repository)
        carried = {} if from_index else wheels(packages, target.parent / "wheels")
        files = contents(repository, packages, carried)
    except RequirementError as error:
        raise BuildError(str(error)) from error
    found = faults(files)
    if found:
        raise BuildError("\n  ".join(["the bundle would not work on MWAA:", *found]))
    sync(target, files)
    return content_hash(files)


def main() -> None:
    """Build into the target folder and print the bundle's content hash."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.bundle", description="Build what an MWAA environment runs."
    )
    parser.add_argument("--target", type=Path, default=TARGET, help="folder to build in")
    parser.add_argument(
        "--from-index",
        action="store_true",
        help="let MWAA download its packages (by hash) instead of carrying their wheels: for an "
        "environment that reaches a package index",
    )
    given = parser.parse_args()
    try:
        print(build(REPOSITORY, given.target, from_index=given.from_index))
    except (BuildError, OSError) as error:
        sys.exit(f"bundle: {error}")


if __name__ == "__main__":
    main()
