"""What a day from bronze to gold costs, beside PySpark without contract and custody.

A day of customers is generated, as twelve files and as one. Ours is what the jobs run on it
(`custody.spark.silver.job.run`, `custody.spark.gold.run`): verify every byte, read every line,
judge every row, account for it, and write silver, quarantine, accounts and gold. The reference
reads the same files with Spark's own CSV reader, keeps one row per key, puts the same tokens in the
place of personal data and aggregates with the same SQL. Both run in one session on two cores, in
turn; the best of each counts. Then ten thousand files of 1 kB are built, beside the same rows in
one file. With `--large` one file of that many bytes is built once, of the day's rows over and over:
does it use both cores to its end?

Prints JSON lines: `{"name", "ours", "reference", "ratio", "unit"}`, of seconds that passed, and of
seconds of the processor (`CPU`, of Spark and its Python workers), which tell what is to be compared
where other work goes on beside. Then what no reference is for: `cores` that were busy, of the two,
and the most memory that a Python worker has had (`MiB`).

    .venvs/glue/bin/python benchmarks/spark/medallion.py [--rows 1000000] [--rounds 2] [--large 0]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

import yaml
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects
from tests.support.landing_zone import LANDED_AT, PROVENANCE, RAW, LandingZone, token_keys

from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import Contract, parse_contract
from custody.spark import gold
from custody.spark.silver import job
from custody.spark.silver.accounts import Totals
from custody.spark.silver.personal import tokens

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 1)
FILES = 12
_HIGH = re.compile(r"VmHWM:\s+(\d+)")
CONTRACT = REPOSITORY / "include" / "contracts" / "customers.odcs.yaml"
Build = Callable[[SparkSession, Path, Contract, Path], Callable[[], object]]
GOLD = REPOSITORY / "include" / "sql" / "gold" / "customers_by_country_month.sql"


_AT_ONCE = 64 * 1024
"""What is smaller has come with the answer before anybody reads it."""


@dataclass(frozen=True)
class FolderS3:
    """Buckets that are folders: what travels to the tasks is no more than their name."""

    folder: Path

    def place(self, bucket: str, key: str) -> Path:
        """Where an object lies, of which there is one version."""
        path = self.folder / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def list_object_versions(self, *, Bucket: str, Prefix: str, **_: str) -> dict[str, Any]:  # noqa: N803
        found = [
            {
                "Key": f"{Prefix}{path.name}",
                "VersionId": "v1",
                "IsLatest": True,
                "LastModified": LANDED_AT,
                "ETag": '"e"',
                "Size": path.stat().st_size,
            }
            for path in sorted(os.scandir(self.folder / Bucket / Prefix), key=attrgetter("name"))
        ]
        return {"Versions": found, "IsTruncated": False}

    def get_object(self, *, Bucket: str, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803
        try:
            file = os.open(f"{self.folder}/{Bucket}/{Key}", os.O_RDONLY)
        except FileNotFoundError:
            missing = {"Error": {"Code": "NoSuchKey", "Message": "gone"}}
            raise ClientError(missing, "GetObject") from None
        size = os.fstat(file).st_size
        if size > _AT_ONCE:
            body: Any = os.fdopen(file, "rb")
        else:
            body = io.BytesIO(os.read(file, size))
            os.close(file)
        return {
            "Body": StreamingBody(body, size),
            "ContentLength": size,
            "ETag": '"e"',
            "LastModified": LANDED_AT,
            "VersionId": "v1",
        }


def landed(files: Iterable[Path], folder: Path) -> tuple[FolderS3, Gate]:
    """Files as they land, each with its record."""
    zone, s3 = LandingZone(), FolderS3(folder)
    for path in files:
        key = f"incoming/customers/dt={DAY}/{path.name}"
        zone.land(key, path.read_bytes())
        s3.place(RAW, key).hardlink_to(path)
    for (bucket, key), versions in zone.s3.objects.items():
        if bucket == PROVENANCE:
            s3.place(bucket, key).write_bytes(versions[-1][1])
    return s3, Gate(PROVENANCE, zone.keys)


def ours(spark: SparkSession, folder: Path, contract: Contract, out: Path) -> Callable[[], object]:
    """The jobs' own work."""
    s3, gate = landed(
        sorted(folder.glob("*.csv")), out.with_name(f"bronze-of-{folder.parent.name}")
    )
    day = job.SilverRun("customers", DAY, "jr_1", RAW, PROVENANCE, "processed")
    columns = gold.table_of(contract, GOLD.stem).columns

    def work() -> object:
        files = job.run(
            spark,
            day,
            contract,
            gate,
            lambda: s3,  # type: ignore[arg-type,return-value]
            lambda area: str(out / area),
            token_keys(contract),
        )
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
        spark.conf.set("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        rows = spark.read.csv(str(folder / "*.csv"), schema=schema, header=True)
        first = rows.withColumn("n", F.row_number().over(latest)).where("n = 1").drop("n")
        tokens(first, token_keys(contract)[""]).write.parquet(str(out / "silver"))
        silver = spark.read.parquet(str(out / "silver"))
        gold.aggregate(silver, GOLD.read_text(), {}).write.parquet(str(out / "gold"))
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


def timed(
    spark: SparkSession, watch: Watch, work: Callable[[], object], out: Path
) -> dict[str, float]:
    """Seconds it took by each unit, from nothing written and nothing cached."""
    spark.catalog.clearCache()
    shutil.rmtree(out, ignore_errors=True)
    began, spent = time.perf_counter(), watch.look()
    result = work()
    took = {"s": time.perf_counter() - began, "CPU": watch.look() - spent}
    print(f"{out.name}: {took}, {result}", file=sys.stderr)
    return took


class Watch(threading.Thread):
    """Looks at the processes below this one every second: pyspark's daemon lets nobody count what a
    worker has used once that has ended."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._seen: dict[tuple[str, str], int] = {}
        self.most_memory = 0.0
        """The most MiB that a Python worker has had at once."""
        self._lock = threading.Lock()

    def run(self) -> None:
        while True:
            self.look()
            time.sleep(1)

    def look(self) -> float:
        """What Spark and the Python workers have used of the processor so far, in seconds."""
        below = {os.getpid()}
        with self._lock:
            # In the order of their ids, parents come before their children.
            for pid in sorted(
                int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()
            ):
                try:
                    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                    if pid not in below and int(fields[1]) not in below:
                        continue
                    below.add(pid)
                    status = Path(f"/proc/{pid}/status").read_text()
                    command = Path(f"/proc/{pid}/cmdline").read_bytes()
                except OSError:
                    continue
                self._seen[str(pid), fields[19]] = int(fields[11]) + int(fields[12])
                if b"pyspark.daemon" in command and (most := _HIGH.search(status)):
                    self.most_memory = max(self.most_memory, int(most[1]) / 1024)
            return sum(self._seen.values()) / os.sysconf("SC_CLK_TCK")


def generated(folder: Path, rows: int, files: int) -> Path:
    """The files of a day of so many rows."""
    command = [sys.executable, str(REPOSITORY / "data" / "generate_customers.py")]
    for name, value in {"out": folder, "days": 1, "rows": rows, "files": files}.items():
        command += [f"--{name}", str(value)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / f"dt={DAY}"


def joined(day: Path, folder: Path) -> Path:
    """The same rows in one file."""
    folder.mkdir(parents=True)
    with (folder / "all.csv").open("wb") as out:
        for number, path in enumerate(sorted(day.iterdir())):
            with path.open("rb") as file:
                header = file.readline()
                if number == 0:
                    out.write(header)
                shutil.copyfileobj(file, out)
    return folder


def repeated(file: Path, folder: Path, size: int) -> Path:
    """One file of at least `size` bytes: the header of `file`, and its rows over and over."""
    folder.mkdir(parents=True)
    with (folder / "all.csv").open("wb") as out, file.open("rb") as rows:
        header = rows.readline()
        out.write(header)
        while out.tell() < size:
            rows.seek(len(header))
            shutil.copyfileobj(rows, out, length=1024 * 1024)
    return folder


def parted(file: Path, folder: Path, size: int, most: int) -> Path:
    """The same rows in `most` files of about `size` bytes, each with the header."""
    folder.mkdir(parents=True)
    header, *lines = file.read_bytes().splitlines(keepends=True)
    each = max(1, (size - len(header)) * len(lines) // sum(map(len, lines)))
    for number in range(most):
        body = lines[number * each : (number + 1) * each]
        (folder / f"{number:05}.csv").write_bytes(b"".join([header, *body]))
    return folder


def told(name: str, mine: list[dict[str, float]], others: list[dict[str, float]]) -> None:
    """Print the best of both."""
    for unit in ("s", "CPU"):
        best = [min(one[unit] for one in rounds) for rounds in (mine, others)]
        line = {
            "name": name,
            **dict(zip(("ours", "reference"), (round(one, 2) for one in best), strict=True)),
            "ratio": round(best[0] / best[1], 2),
            "unit": unit,
        }
        print(json.dumps(line), flush=True)


def told_alone(name: str, value: float, unit: str) -> None:
    """Print what has no reference."""
    print(json.dumps({"name": name, "ours": round(value, 2), "unit": unit}), flush=True)


def main() -> None:
    """Generate the days, build each in both ways, print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the day")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured")
    parser.add_argument("--small", type=int, default=10_000, help="files of 1 kB")
    parser.add_argument("--large", type=int, default=0, help="bytes of one file that is built once")
    options = parser.parse_args()
    contract = parse_contract(yaml.safe_load(CONTRACT.read_text()))
    spark, watch = session(cores=2), Watch()
    watch.start()
    with tempfile.TemporaryDirectory() as folder:

        def in_turn(*builds: tuple[Build, Path]) -> list[list[dict[str, float]]]:
            """What each took, round by round: whoever comes later has a warmer JVM."""
            outs = [Path(folder, f"{build.__name__}-of-{day.parent.name}") for build, day in builds]
            works = [
                build(spark, day, contract, out)
                for (build, day), out in zip(builds, outs, strict=True)
            ]
            rounds = [
                [timed(spark, watch, work, out) for work, out in zip(works, outs, strict=True)]
                for _ in range(options.rounds)
            ]
            return [list(took) for took in zip(*rounds, strict=True)]

        several = generated(Path(folder, "several"), options.rows, FILES)
        for files, day in ((FILES, several), (1, joined(several, Path(folder, "one", "day")))):
            mine, others = in_turn((ours, day), (reference, day))
            told(f"medallion_{files}_files", mine, others)
            busy = max(one["CPU"] / one["s"] for one in mine)
            told_alone(f"medallion_{files}_files_cores", busy, "cores")
        (large,) = generated(Path(folder, "large"), options.small * 10, 1).glob("*.csv")
        small = parted(large, Path(folder, "small", "day"), 1_000, options.small)
        one = parted(large, Path(folder, "same", "day"), small_bytes(small), 1)
        mine, others = in_turn((ours, small), (ours, one))
        told(f"medallion_{options.small}_small_files", mine, others)
        if options.large:
            day = repeated(
                Path(folder, "one", "day", "all.csv"), Path(folder, "large-day"), options.large
            )
            out = Path(folder, "ours")
            took = timed(spark, watch, ours(spark, day, contract, out), out)
            told_alone("medallion_one_large_file", took["s"], "s")
            told_alone("medallion_one_large_file_cores", took["CPU"] / took["s"], "cores")
        told_alone("medallion_memory_of_a_worker", watch.most_memory, "MiB")
    spark.stop()


def small_bytes(folder: Path) -> int:
    """How many bytes the files of a folder have."""
    return sum(path.stat().st_size for path in folder.iterdir())


if __name__ == "__main__":
    main()
