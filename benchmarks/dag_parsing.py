"""What Airflow needs to read the DAGs of twenty datasets, beside those of one.

Airflow reads the files of the DAGs again and again, each time in a new process in which Airflow and
the providers are loaded already. So everything is imported first, and what a process remembers of
earlier readings is forgotten before each. The contracts are copies of that of `customers`.

Prints a JSON line, `{"name", "ours", "reference", "ratio", "unit"}`: seconds, the best of five. The
reference is one dataset: the ratio says whether another costs more than the one before it.

    python benchmarks/dag_parsing.py [--datasets 20]
"""

from __future__ import annotations

import argparse
import atexit
import json
import logging
import os
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "plugins"))
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="custody-airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "false"
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"

# Airflow reads its settings when it is imported.
from airflow.dag_processing.dagbag import DagBag  # noqa: E402

from custody.tasks import contracts  # noqa: E402


def folder_of(datasets: int, folder: Path) -> Path:
    """A folder of DAGs with this many contracts beside it."""
    shutil.copytree(REPOSITORY / "include" / "sql", folder / "include" / "sql")
    (folder / "include" / "contracts").mkdir()
    text = (REPOSITORY / "include" / "contracts" / "customers.odcs.yaml").read_text("utf-8")
    for number in range(datasets):
        copy = (
            text.replace("name: customers\n", f"name: d{number}\n")
            .replace("physicalName: silver_customers\n", f"physicalName: silver_d{number}\n")
            .replace("customers_by_country_month", f"d{number}_by_country_month")
        )
        (folder / "include" / "contracts" / f"d{number}.odcs.yaml").write_text(copy, "utf-8")
    (folder / "dags").mkdir()
    shutil.copy(REPOSITORY / "dags" / "medallion.py", folder / "dags")
    return folder / "dags"


def seconds(dags: Path, wanted: int) -> float:
    """How long the folder takes to read."""
    contracts._parsed.cache_clear()  # noqa: SLF001 - a new process remembers nothing
    started = time.perf_counter()
    bag = DagBag(dag_folder=dags, bundle_path=dags)
    taken = time.perf_counter() - started
    if bag.import_errors or len(bag.dags) != wanted:
        raise SystemExit(f"{len(bag.dags)} DAGs, {bag.import_errors}")
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--datasets", type=int, default=20)
    many = parser.parse_args().datasets
    logging.disable()
    warnings.simplefilter("ignore")
    atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        best = {}
        for datasets in (1, many):
            dags = folder_of(datasets, Path(folder) / str(datasets))
            best[datasets] = min(seconds(dags, datasets) for _ in range(5))
    result = {
        "name": f"parse the DAGs of {many} contracts",
        "ours": round(best[many], 3),
        "reference": round(best[1], 3),
        "ratio": round(best[many] / best[1], 2),
        "unit": "s",
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
