"""What a day from bronze to gold costs, beside PySpark without contract and custody.

A day of customers is generated, as twelve files and as one. Ours is what the jobs run on it
(`custody.spark.silver.job.run`, `custody.spark.gold.run`): verify every byte, read every line,
judge every row, account for it, and write silver, quarantine, accounts and gold. The reference
reads the same files with Spark's own CSV reader, keeps one row per key and aggregates with the same
SQL. Both run in one session on two cores, in turn; the best of each counts.

Prints JSON lines: `{"name", "ours", "reference", "ratio", "unit"}`, of seconds that passed, and of
seconds of the processor (`CPU`, of Spark and its Python workers), which tell what is to be compared
where other work goes on beside.

    .venvs/glue/bin/python benchmarks/spark/medallion.py [--rows 1000000] [--rounds 2]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

import yaml
from botocore.response import StreamingBody
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone, MemoryS3

from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import Contract, parse_contract
from custody.spark import gold
from custody.spark.silver import job
from custody.spark.silver.accounts import Totals

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 1)
FILES = (12, 1)
CONTRACT = REPOSITORY / "include" / "contracts" / "customers.odcs.yaml"
GOLD = REPOSITORY / "include" / "sql" / "gold" / "customers_by_country_month.sql"


@dataclass
class FolderS3(MemoryS3):
    """The raw bucket is files of this machine; what else there is, is in memory."""

    files: dict[str, Path] = field(default_factory=dict)

    def get_object(self, *, Bucket: str, Key: str, **options: str) -> dict[str, Any]:  # noqa: N803
        found = super().get_object(Bucket=Bucket, Key=Key, **options)
        if Bucket == RAW:
            size = self.files[Key].stat().st_size
            body: Any = self.files[Key].open("rb")
            found |= {"Body": StreamingBody(body, size), "ContentLength": size}
        return found


def landed(folder: Path) -> tuple[FolderS3, Gate]:
    """The files of a folder as they land, each with its record."""
    zone, s3 = LandingZone(), FolderS3()
    for path in sorted(folder.glob("*.csv")):
        key = f"incoming/customers/dt={DAY}/{path.name}"
        zone.land(key, path.read_bytes())
        s3.files[key] = path
    # Names and records only: what is in memory travels to every task.
    s3.objects = {
        place: [(version, b"" if place[0] == RAW else body) for version, body in versions]
        for place, versions in zone.s3.objects.items()
    }
    return s3, Gate(PROVENANCE, zone.keys)


def ours(spark: SparkSession, folder: Path, contract: Contract, out: Path) -> Callable[[], object]:
    """The jobs' own work."""
    s3, gate = landed(folder)
    day = job.SilverRun("customers", DAY, "jr_1", RAW, PROVENANCE, "processed")
    columns = gold.columns_of(contract, GOLD.stem)

    def work() -> object:
        files = job.run(spark, day, contract, gate, lambda: s3, lambda area: str(out / area))  # type: ignore[arg-type,return-value]
        gold.run(spark, str(out / "silver"), GOLD.read_text(), str(out / "gold"), columns)
        return Totals.of(files)

    return work


def reference(
    spark: SparkSession, folder: Path, contract: Contract, out: Path
) -> Callable[[], object]:
    """The same tables without custody and rules."""
    schema = ", ".join(f"{column.name} {column.type}" for column in contract.columns)
    order = F.col("last_login").desc_nulls_last()
    latest = Window.partitionBy(*contract.primary_key).orderBy(order)

    def work() -> object:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        spark.conf.set("spark.sql.ansi.enabled", "false")
        rows = spark.read.csv(str(folder / "*.csv"), schema=schema, header=True)
        first = rows.withColumn("n", F.row_number().over(latest)).where("n = 1").drop("n")
        first.write.parquet(str(out / "silver"))
        silver = spark.read.parquet(str(out / "silver"))
        gold.aggregate(silver, GOLD.read_text()).write.parquet(str(out / "gold"))
        return spark.read.parquet(str(out / "gold")).count()

    return work


def session(cores: int) -> SparkSession:
    """Spark as it comes, but for the network and its output."""
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master(f"local[{cores}]").config("spark.driver.memory", "4g")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.log.level": "ERROR",
    }.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def timed(spark: SparkSession, work: Callable[[], object], out: Path) -> dict[str, float]:
    """Seconds it took by each unit, from nothing written and nothing cached."""
    spark.catalog.clearCache()
    shutil.rmtree(out, ignore_errors=True)
    began, spent = time.perf_counter(), processor_seconds()
    result = work()
    took = {"s": time.perf_counter() - began, "CPU": processor_seconds() - spent}
    print(f"{out.name}: {took}, {result}", file=sys.stderr)
    return took


def processor_seconds() -> float:
    """What Spark and the Python workers below this process have used of the processor so far."""
    ticks, below = 0, {os.getpid()}
    # In the order of their ids, parents come before their children.
    for pid in sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if pid in below or int(fields[1]) in below:
            below.add(pid)
            # Of the process, user and system, and of its children that have ended.
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Generate the days, build each in both ways, print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the day")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured")
    options = parser.parse_args()
    contract = parse_contract(yaml.safe_load(CONTRACT.read_text()))
    spark = session(cores=2)
    with tempfile.TemporaryDirectory() as folder:
        for files in FILES:
            landing = Path(folder, f"{files}-files")
            command = [sys.executable, str(REPOSITORY / "data" / "generate_customers.py")]
            given = {"out": landing, "days": 1, "rows": options.rows, "files": files}
            for name, value in given.items():
                command += [f"--{name}", str(value)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            took = {}
            for build in (ours, reference):
                out = Path(folder, build.__name__)
                work = build(spark, landing / f"dt={DAY}", contract, out)
                took[build.__name__] = [timed(spark, work, out) for _ in range(options.rounds)]
            for unit in ("s", "CPU"):
                best = {name: min(one[unit] for one in rounds) for name, rounds in took.items()}
                line = {
                    "name": f"medallion_{files}_files",
                    **{name: round(seconds, 2) for name, seconds in best.items()},
                    "ratio": round(best["ours"] / best["reference"], 2),
                    "unit": unit,
                }
                print(json.dumps(line), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
