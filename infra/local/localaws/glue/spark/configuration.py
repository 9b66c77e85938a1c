"""The local Spark a script finds: S3 at our endpoint, committed without leftovers, quick to start.

What Glue gives a script by itself is set here and never in the scripts.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localaws.settings import REPOSITORY

LOG4J = Path(__file__).with_name("log4j2.properties")
WORKERS = Path(__file__).with_name("workers")
_JVM_OPTIONS = (
    # A run lives for seconds: quick compilation beats good code, and half a gigabyte of young
    # objects is rarely collected at all.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms1g",
    "-Xmn600m",
    f"-Dlog4j2.configurationFile={LOG4J.as_uri()}",
)


@dataclass(frozen=True, slots=True)
class SparkHome:
    """Where the jobs' Python and Spark's S3 jars are."""

    python: Path
    jars: Path

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> SparkHome:
        """CUSTODY_GLUE_PYTHON and CUSTODY_SPARK_JARS, by default what `make setup` makes."""
        # Where they are indeed: the archive of classes is good for the paths it was made with.
        venvs = (REPOSITORY / ".venvs").resolve()
        return cls(
            python=Path(env.get("CUSTODY_GLUE_PYTHON") or venvs / "glue" / "bin" / "python"),
            jars=Path(env.get("CUSTODY_SPARK_JARS") or venvs / "jars"),
        )

    @property
    def conf(self) -> Path:
        """Spark's configuration folder: empty, and always the same, as the class archive needs."""
        return self.jars / "conf"

    @property
    def class_archive(self) -> Path:
        """The JVM's archive of loaded classes (`archive`); a run starts without it, but slower."""
        return self.jars / "classes.jsa"


def properties(
    home: SparkHome, folder: Path, endpoint: str, region: str, jvm_options: Sequence[str]
) -> dict[str, str]:
    """Spark's settings for one run that keeps its scratch files in `folder`."""
    java = [*_JVM_OPTIONS, f"-Djava.io.tmpdir={folder / 'tmp'}", *jvm_options]
    s3a = "spark.hadoop.fs.s3a"
    return {
        "spark.master": "local[2]",
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraClassPath": f"{home.jars}/*",
        "spark.driver.extraJavaOptions": " ".join(f'"{option}"' for option in java),
        "spark.sql.warehouse.dir": f"file://{folder / 'tmp'}/warehouse",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # For a few thousand rows, each further partition and each new plan only costs time.
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "2",
        "spark.sql.adaptive.enabled": "false",
        # Compiling Java for a few thousand rows takes longer than interpreting them.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.python.daemon.module": "quick_daemon",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        f"{s3a}.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        f"{s3a}.endpoint": endpoint,
        # Else it signs for us-east-1, and a bucket elsewhere sends it away.
        f"{s3a}.endpoint.region": region,
        f"{s3a}.path.style.access": "true",
        f"{s3a}.connection.ssl.enabled": "false",
        f"{s3a}.aws.credentials.provider": (
            "com.amazonaws.auth.EnvironmentVariableCredentialsProvider"
        ),
        # An endpoint that went away must fail the run in seconds, so that Airflow can retry it.
        f"{s3a}.attempts.maximum": "3",
        f"{s3a}.retry.limit": "3",
        f"{s3a}.buffer.dir": str(folder / "tmp"),
        # As on Glue, a part file appears when it is committed, by one upload: no _temporary
        # objects, no renames, no _SUCCESS. Work in progress stays on local disk.
        "spark.sql.sources.commitProtocolClass": (
            "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol"
        ),
        "spark.sql.parquet.output.committer.class": (
            "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter"
        ),
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3": (
            "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory"
        ),
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        f"{s3a}.committer.name": "directory",
        f"{s3a}.committer.staging.conflict-mode": "append",
        f"{s3a}.committer.staging.tmp.path": f"file://{folder / 'tmp'}/staging",
        # Both would need permissions that a job on Glue does not need.
        f"{s3a}.committer.abort.pending.uploads": "false",
        f"{s3a}.directory.marker.retention": "keep",
    }


def asked_for(conf: str) -> dict[str, str]:
    """Spark's settings in Glue's argument `--conf`, where each but the first repeats its name."""
    pairs = (item.partition("=") for item in conf.split(" --conf ") if item)
    return {name.strip(): value.strip() for name, _, value in pairs}


def prepare(home: SparkHome, folder: Path, values: Mapping[str, str]) -> Path:
    """Make what a run's Spark finds on disk; return the file for `--properties-file`."""
    for needed in (folder / "tmp", home.conf):
        needed.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "aws-config").touch()
    path = folder / "spark.properties"
    path.write_text("".join(f"{name} {value}\n" for name, value in values.items()))
    return path


def environment(
    home: SparkHome, folder: Path, properties_file: Path, python_path: list[Path]
) -> dict[str, str]:
    """The environment of a script, without credentials: nothing of ours, nothing of the user's."""
    kept = ("PATH", "HOME", "LANG", "JAVA_HOME", "NO_PROXY", "no_proxy")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONPATH": os.pathsep.join(str(path) for path in (*python_path, WORKERS)),
        "PYTHONUNBUFFERED": "1",
        "PYSPARK_PYTHON": str(home.python),
        "PYSPARK_SUBMIT_ARGS": (
            f"--properties-file {shlex.quote(str(properties_file))} pyspark-shell"
        ),
        "SPARK_CONF_DIR": str(home.conf),
        "SPARK_LOCAL_DIRS": str(folder / "tmp"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TMPDIR": str(folder / "tmp"),
        "AWS_EC2_METADATA_DISABLED": "true",
        # All of AWS is one host: MWAA's calls go to one below the endpoint's else.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        # Empty, so that nobody's own settings are read; a file, as Java's SDK wants one.
        "AWS_CONFIG_FILE": str(folder / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws-config"),
    }
