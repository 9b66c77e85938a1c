"""Have the jobs build a small day of every dataset: `build_days.py FOLDER`, with the jobs' Python.

Leaves a folder of Parquet for each table, by its name.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.landing_zone import LandingZone
from tests.support.sample_days import DATASETS, area_of, build, make
from tests.support.spark_session import session

from custody.core.datasets.tables import tables


def main(out: Path) -> None:
    """Build the days into a folder."""
    with session() as spark:
        for dataset in DATASETS:
            sample = make(dataset, out / "landed" / dataset, rows=600, days=1)
            (day,) = sample.days
            zone = LandingZone()
            for key, body in sample.landed(day).items():
                zone.land(key, body)
            build(spark, sample.contract, day, zone, out / dataset)
            for table in tables(sample.contract):
                (out / dataset / area_of(table, dataset)).rename(out / table.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
