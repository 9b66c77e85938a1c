"""Fetch the jars through which Spark reads and writes S3; `infra/setup` runs this.

    .venvs/glue/bin/python infra/local/localaws/glue/spark/jars.py [TARGET]

Spark itself fetches them (its Ivy, from Maven Central), so nothing is needed but PySpark and Java.
They are kept in TARGET (default: `.venvs/jars`), and a second run finds them there. Needs only
the standard library and PySpark: it runs in the jobs' environment, not in the local AWS's.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DEFAULT_TARGET = Path(__file__).resolve().parents[5] / ".venvs" / "jars"

# The S3A file system of the Hadoop that PySpark 3.5.6 ships (3.3.4), and what binds Spark's Parquet
# writer to S3A's committers (same code in every 3.5; 3.5.6 was not published).
PACKAGES = (
    "org.apache.hadoop:hadoop-aws:3.3.4",
    "org.apache.spark:spark-hadoop-cloud_2.12:3.5.5",
)
SHA256 = {
    "com.amazonaws_aws-java-sdk-bundle-1.12.262.jar": (
        "873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5"
    ),
    "org.apache.hadoop_hadoop-aws-3.3.4.jar": (
        "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a"
    ),
    "org.apache.spark_spark-hadoop-cloud_2.12-3.5.5.jar": (
        "7984bfbd83e8dff0d7ee0aed79e6cb916e651ba28b4ecce8a43b97cb669fbe28"
    ),
    "org.wildfly.openssl_wildfly-openssl-1.0.7.Final.jar": (
        "9f7058778978ec2ad90c7224401a4b0013d93e0dd3fa0f72b25244ffa3507ca8"
    ),
}
# spark-hadoop-cloud names every cloud there is, and libraries that PySpark already has.
_EXCLUDED = (
    "com.fasterxml*:*",
    "com.google*:*",
    "joda-time:*",
    "org.apache.hadoop:hadoop-azure*",
    "org.apache.hadoop:hadoop-c*",
    "org.apache.http*:*",
    "org.eclipse.jetty:*",
)
# Ivy's own name for Maven Central. Without this, Spark also asks a second repository.
_IVY_SETTINGS = """<ivysettings>
  <settings defaultResolver="central"/>
  <resolvers><ibiblio name="central" m2compatible="true"/></resolvers>
</ivysettings>
"""
_TIMEOUT_SECONDS = 1200


class JarsError(RuntimeError):
    """The jars could not be fetched; the message says what to look at."""


def missing(target: Path) -> list[str]:
    """The jars that `target` lacks."""
    return sorted(name for name in SHA256 if not (target / name).is_file())


def fetch(target: Path) -> None:
    """Bring every jar into `target`; returns at once when they are there. Raises JarsError."""
    if not missing(target):
        return
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".jars-") as scratch:
        fetched = _resolve(Path(scratch))
        for name, expected in SHA256.items():
            jar = fetched / name
            if not jar.is_file():
                raise JarsError(f"Ivy brought no {name}")
            found = _sha256(jar)
            if found != expected:
                raise JarsError(f"{name} hashes to {found}, expected {expected}: do not use it")
            jar.replace(target / name)


def _resolve(scratch: Path) -> Path:
    """Let Spark's Ivy fetch `PACKAGES`; return the folder that holds the jars."""
    pyspark = importlib.util.find_spec("pyspark")
    if pyspark is None or pyspark.origin is None:
        raise JarsError(f"{sys.executable} has no PySpark: run this with .venvs/glue/bin/python")
    settings, nothing = scratch / "ivysettings.xml", scratch / "nothing.py"
    settings.write_text(_IVY_SETTINGS)
    nothing.write_text("")
    command = [
        str(Path(pyspark.origin).parent / "bin" / "spark-submit"),
        *("--packages", ",".join(PACKAGES)),
        *("--exclude-packages", ",".join(_EXCLUDED)),
        *("--conf", f"spark.jars.ivy={scratch / 'ivy'}"),
        *("--conf", f"spark.jars.ivySettings={settings}"),
        str(nothing),
    ]
    env = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise JarsError(
            f"fetching took more than {_TIMEOUT_SECONDS} s; is the network up?"
        ) from error
    if done.returncode != 0:
        raise JarsError(
            "Spark could not fetch its S3 jars. Maven Central must be reachable from Java: a "
            "proxy, or a certificate that Java's trust store lacks, are the usual reasons. The end "
            f"of its output:\n{(done.stdout + done.stderr)[-3000:]}"
        )
    return scratch / "ivy" / "jars"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Fetch into the folder named on the command line, or the default one."""
    target = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else DEFAULT_TARGET
    if missing(target):
        print(f"set-up: {target} (Spark's S3 jars, about 280 MB)", flush=True)
        try:
            fetch(target)
        except (JarsError, OSError) as error:
            sys.exit(f"jars: {error}")


if __name__ == "__main__":
    main()
