"""What the tables say of each landed file, and what the sample's manifest expects of it."""

import json
from dataclasses import dataclass
from datetime import date

from rehearsal.landing import DATASET, SAMPLE, sample_days
from rehearsal.observing import query
from rehearsal.platform import Platform


@dataclass(frozen=True)
class Account:
    """Rows of one file: landed = silver + duplicate + quarantined."""

    landed: int
    silver: int
    duplicate: int
    quarantined: int

    @property
    def closes(self) -> bool:
        return self.landed == self.silver + self.duplicate + self.quarantined


FILE_ACCOUNTS = """
SELECT f.source_key, f.landed_rows, f.silver_rows, f.duplicate_rows, f.quarantined_rows,
       coalesce(s.n, 0) AS silver_seen, coalesce(q.n, 0) AS quarantine_seen
FROM silver_{dataset}_files f
LEFT JOIN (SELECT _source_key AS source_key, dt, count(*) AS n
           FROM silver_{dataset} GROUP BY 1, 2) s
       ON s.source_key = f.source_key AND s.dt = f.dt
LEFT JOIN (SELECT source_key, dt, count(*) AS n
           FROM silver_{dataset}_quarantine WHERE source_line IS NOT NULL GROUP BY 1, 2) q
       ON q.source_key = f.source_key AND q.dt = f.dt
WHERE f.dt = '{day}'
"""


def file_accounts(platform: Platform, day: date, dataset: str = DATASET) -> dict[str, Account]:
    """Row accounts by file name, after checking that the tables hold what the account says."""
    accounts = {}
    for row in query(platform, FILE_ACCOUNTS.format(dataset=dataset, day=day)):
        name = str(row["source_key"]).rpartition(f"dt={day}/")[2]
        landed, silver, duplicate, quarantined = (
            int(row[f"{part}_rows"] or 0)
            for part in ("landed", "silver", "duplicate", "quarantined")
        )
        assert silver == int(row["silver_seen"] or 0), f"{name}: rows in silver_{dataset}"
        assert name not in accounts, f"{name} is accounted for twice"
        accounts[name] = Account(landed, silver, duplicate, quarantined)
    return accounts


def expected_accounts(day: date) -> dict[str, Account]:
    """The sample's own expectation, made by its generator and checked by an oracle of its own."""
    manifest = json.loads((SAMPLE / "manifest.json").read_text())
    return {
        name: Account(
            file["landed_rows"],
            file["silver_rows"],
            file["duplicate_rows"],
            file["quarantined_rows"],
        )
        for name, file in manifest["days"][str(day)]["files"].items()
    }


def totals(platform: Platform) -> dict[str, dict[str, int]]:
    """Row counts of every published table, by day."""
    counts: dict[str, dict[str, int]] = {}
    for table in (
        "silver_customers",
        "silver_customers_quarantine",
        "silver_customers_files",
        "gold_customers_by_country_month",
    ):
        rows = query(platform, f"SELECT dt, count(*) AS n FROM {table} GROUP BY dt")  # noqa: S608
        counts[table] = {str(row["dt"]): int(row["n"] or 0) for row in rows}
    return counts


def visible_runs(platform: Platform) -> dict[str, dict[str, set[str]]]:
    """The run prefixes that readers of each table see, by day: must be one a day."""
    runs: dict[str, dict[str, set[str]]] = {}
    for table in ("silver_customers", "gold_customers_by_country_month"):
        rows = query(
            platform,
            "SELECT DISTINCT dt, regexp_extract(\"$path\", 'run=([^/]+)', 1) AS run"  # noqa: S608
            f" FROM {table}",
        )
        by_day: dict[str, set[str]] = {str(day): set() for day in sample_days()}
        for row in rows:
            by_day[str(row["dt"])].add(str(row["run"]))
        runs[table] = by_day
    return runs
