"""An archive of the classes a job loads, which halves the time until a run begins its work.

    .venvs/local/bin/python -m localaws.glue.spark.archive

`infra/setup` runs this after `jars`. The archive belongs to one JDK and one set of jars; when they
change, it is made anew. Without it everything works, only slower.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from localaws.glue.spark import configuration
from localaws.glue.spark.configuration import SparkHome
from localaws.settings import GLOBAL_REGION

_WARM_UP = Path(__file__).with_name("warm_up.py")
# Ends a hang: it takes a minute, and many on a machine under load.
_TIMEOUT_SECONDS = 1800
_NOWHERE = "http://127.0.0.1:9"


class ArchiveError(RuntimeError):
    """The archive could not be made; the message says why."""


def make(home: SparkHome) -> None:
    """Make the archive of `home`; returns at once when there is a current one."""
    stamp = home.class_archive.with_suffix(".made-from")
    made_from = _fingerprint(home)
    if home.class_archive.exists() and stamp.exists() and stamp.read_text() == made_from:
        return
    print(f"set-up: {home.class_archive} (makes Spark start faster)", flush=True)
    stamp.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=home.jars, prefix=".archive-") as scratch:
        archive = _train(home, Path(scratch))
        archive.replace(home.class_archive)
    stamp.write_text(made_from)


def _train(home: SparkHome, folder: Path) -> Path:
    """Run the warm-up and let the JVM archive what it loaded; return the archive."""
    archive = folder / "classes.jsa"
    options = [f"-XX:ArchiveClassesAtExit={archive}", "-Xlog:disable", "-Xlog:all=error:stderr"]
    properties = configuration.prepare(
        home, folder, configuration.properties(home, folder, _NOWHERE, GLOBAL_REGION, options)
    )
    env = configuration.environment(home, folder, properties, []) | {
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": GLOBAL_REGION,
    }
    # The JVM outlives Python while it writes the archive; the pipe stays open until it is done.
    try:
        done = subprocess.run(
            [str(home.python), str(_WARM_UP), str(folder / "out")],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ArchiveError(f"not done after {_TIMEOUT_SECONDS} s") from error
    if done.returncode != 0 or not archive.exists():
        raise ArchiveError(
            f"exit code {done.returncode}; the end of its output:\n{done.stdout[-2000:]}"
        )
    return archive


def _fingerprint(home: SparkHome) -> str:
    """What the archive depends on: the JDK, what was run, and the class path."""
    digest = hashlib.sha256(_java_version() + _WARM_UP.read_bytes())
    for jar in sorted(_class_path(home)):
        found = jar.stat()
        digest.update(f"{jar} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _java_version() -> bytes:
    """What the JVM that Spark will start says of itself."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else "java"
    return subprocess.run([java, "-version"], capture_output=True, check=True).stderr


def _class_path(home: SparkHome) -> Iterator[Path]:
    yield from home.jars.glob("*.jar")
    for packages in home.python.parents[1].glob("lib/python3*/site-packages"):
        yield from (packages / "pyspark" / "jars").glob("*.jar")


def main() -> None:
    """Make the archive of the environment; say so, and carry on, when it cannot be made."""
    try:
        make(SparkHome.from_env(os.environ))
    except (ArchiveError, OSError, subprocess.CalledProcessError) as error:
        print(f"set-up: no class archive, Spark starts slower: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
