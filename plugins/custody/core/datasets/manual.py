"""What a dataset is, in Markdown, for those who run its DAG."""

from __future__ import annotations

from typing import Final

from custody.core.datasets.contracts import Contract
from custody.core.datasets.tables import tables

DAG_PREFIX: Final = "medallion_"


def dag_of(dataset: str) -> str:
    """The id of the DAG that builds a dataset."""
    return f"{DAG_PREFIX}{dataset}"


def manual(contract: Contract) -> str:
    """The documentation of the DAG that builds the dataset."""
    about, dataset = contract.about, contract.dataset
    uploaders = "\n".join(f"* `{one.name}`: {one.description}" for one in about.uploaders)
    made = "\n".join(f"* `{table.name}`: {table.grain}" for table in tables(contract))
    return f"""Build one day of `{dataset}`: bronze, silver, gold.

{about.purpose}

**Use:** {about.usage}

**Limits:** {about.limitations}

**Owner:** {about.owner}. **Contract:** `{dataset}.odcs.yaml`, version {contract.version}.

**Lands:** every day, below `incoming/{dataset}/dt=<day>/`, whole {about.landing_hours} hours after
the day began (UTC), as {contract.format.in_words}, from

{uploaders}

**Makes:**

{made}
{_rules(contract)}
Waits until something has landed, at most for so long, then until every file there has its hash
record (the custody gate), and runs the Glue jobs. Each run writes to places of its own; readers see
all of its tables once they are published, after the jobs' own checks: the row accounting of every
file closes, at most {contract.max_rejected_share:%} of the rows were rejected, and the day keeps
its rules. Each job signs what it wrote and out of what (its lineage); gold is built, and a day
published, only from what the silver run signed.

With *Roll back to* nothing is built: the day is shown again as an earlier run built it.

A file that is still without a record when its time is up does not hold up the others: the job puts
it into quarantine. A file without a valid record never reaches silver.

**On failure:** clear the failed task; each may run again, and readers see what was published last.
Files that come later have their day built again within the hour (`provenance_ledger`).

**Runbook:** docs/runbooks/glue-job-failed.md (a job, or `publish`);
docs/runbooks/custody-gate.md (the gate, or what is in quarantine);
docs/operations.md (nothing landed, or a day is to be built again, or rolled back)
"""


def _rules(contract: Contract) -> str:
    """The rules of a day; nothing where there are none."""
    rules = [
        f"* `{table.name}`, `{rule.name}` ({rule.severity}): of {rule.measured}: {rule.expected}. "
        f"{rule.description}".rstrip()
        for table in tables(contract)
        for rule in table.rules
    ]
    if not rules:
        return ""
    return "\n".join(
        (
            "",
            "**Judges a day** before it is published. An error publishes nothing, a warning is",
            "told by the task `report_quality`; the table `quality_results` keeps what was found:",
            "",
            *rules,
            "",
        )
    )
