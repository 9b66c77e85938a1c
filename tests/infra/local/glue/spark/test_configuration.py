"""A script that uses Spark as it would on Glue: `s3://`, awsglue, and no trace but its output."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.infra.local.glue.served import BUCKET, Glue, serving
from tests.support.patience import wait_for

from localaws.glue.spark import configuration
from localaws.glue.spark.configuration import SparkHome

SCRIPT = b"""
import json, os, pathlib, sys, time
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession

args = getResolvedOptions(sys.argv, ["JOB_NAME", "mode"])
spark = SparkSession.builder.getOrCreate()
if args["mode"] == "wait":
    pid = spark._jvm.java.lang.ProcessHandle.current().pid()
    pathlib.Path("jvm").write_text(str(pid))
    spark.range(10**12).selectExpr("sum(hash(id))").collect()
output = f"s3://glue-code/out/run={args['JOB_RUN_ID']}/"
spark.sparkContext.parallelize(range(10), 2).map(lambda n: (n, str(n))).toDF(
    ["n", "s"]
).write.parquet(output)
found = spark.read.parquet(output).groupBy().sum("n").first()[0]
print(json.dumps({"version": spark.version, "sum": found, "name": args["JOB_NAME"]}))
"""


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Glue]:
    home = SparkHome.from_env({})
    yield from serving(tmp_path_factory.mktemp("glue") / "home", home, SCRIPT)


def test_a_script_reads_and_writes_s3_and_leaves_nothing_else(glue: Glue) -> None:
    run = glue.ended(glue.begin("quick"))

    folder = glue.folder(run["Id"])
    assert run["JobRunState"] == "SUCCEEDED", (folder / "stderr").read_text()[-2000:]
    said = json.loads((folder / "stdout").read_text())
    assert said == {"version": "3.5.6", "sum": 45, "name": "job"}
    versions = glue.server.client("s3").list_object_versions(Bucket=BUCKET, Prefix="out/")
    assert "DeleteMarkers" not in versions
    names = [item["Key"].removeprefix(f"out/run={run['Id']}/") for item in versions["Versions"]]
    assert names[0] == ""  # the folder marker that S3 clients make
    assert len(names) == 3
    assert all(re.fullmatch(r"part-0000\d-.*\.snappy\.parquet", name) for name in names[1:])
    assert not (folder / "tmp").exists()


def test_a_killed_jvm_fails_the_run(glue: Glue) -> None:
    run_id = glue.begin("wait")
    jvm = glue.folder(run_id) / "jvm"
    wait_for(lambda: jvm.exists() and jvm.read_text())

    os.kill(int(jvm.read_text()), signal.SIGKILL)

    run = glue.ended(run_id)
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"]


def test_settings_survive_folders_with_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    home = SparkHome(tmp_path / "python", tmp_path / "jars")

    values = configuration.properties(home, folder, "http://127.0.0.1:1", "eu-central-1", [])
    path = configuration.prepare(home, folder, values)
    env = configuration.environment(home, folder, path, [])

    assert values["spark.hadoop.fs.s3a.endpoint.region"] == "eu-central-1"
    assert f'"-Djava.io.tmpdir={folder / "tmp"}"' in values["spark.driver.extraJavaOptions"]
    assert env["PYSPARK_SUBMIT_ARGS"] == f"--properties-file '{path}' pyspark-shell"
    assert home.conf.is_dir()
    assert list(home.conf.iterdir()) == []
