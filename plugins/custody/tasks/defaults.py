"""What the DAGs share: defaults, tags, settings as templates, and where their SQL lies."""

from __future__ import annotations

import logging
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from custody.aws.regions import trail_regions
from custody.core.ledger.tables import COLUMNS

log = logging.getLogger(__name__)

_ON_FAILURE: Final = "**On failure:**"
"""Where the manual of a DAG says what to do."""


def say_what_to_do(context: Any) -> None:
    """Say at the end of the log of a task that failed for good what its DAG's manual says of that.

    Nobody is called by it: a task that is killed calls nothing back (`telling.failures`).
    """
    what = (context["dag"].doc_md or "").partition(_ON_FAILURE)[2]
    log.error("what to do about %s: %s", context["task"].task_id, what.strip())


DEFAULT_ARGS: Final[dict[str, Any]] = {
    "owner": "data-platform",
    # Long enough to outlive a restart of whatever a task talks to: 10 s, 20 s, 40 s, 80 s.
    "retries": 4,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=5),
    # Whoever the worker is to AWS, by AWS's own rules: there is no Airflow connection to look for.
    "aws_conn_id": None,
    "on_failure_callback": say_what_to_do,
}


def client(service: str) -> Any:
    """A boto3 client for a task's own use, as the same principal as the operators'."""
    return AwsBaseHook(aws_conn_id=None, client_type=service).get_conn()


def log_run(context: Any, run_id: str) -> None:
    """Say in the log that a Glue run has succeeded, and where it logged what it counted."""
    log.info(
        "run %s has succeeded; what it read, decided and wrote is in the log groups /aws-glue/%s/…,"
        " by its id",
        run_id,
        context["task"].job_name,
    )


ATHENA: Final[dict[str, Any]] = {
    "workgroup": "{{ var.json.custody.workgroup }}",
    "database": "{{ var.json.custody.database }}",
    "deferrable": True,
    # 30 minutes, Athena's own limit for a statement.
    "sleep_time": 2,
    "max_polling_attempts": 900,
}
"""Arguments of an Athena statement that may take minutes."""

ATHENA_SHORT: Final[dict[str, Any]] = ATHENA | {"deferrable": False, "sleep_time": 1}
"""Arguments of one that ends within seconds: deferring would take longer than waiting."""

GLUE: Final[dict[str, Any]] = {
    "deferrable": True,
    "waiter_delay": 5,
    "waiter_max_attempts": 1440,  # two hours
    # Log forwarding needs CloudWatch; the run's own link leads there.
    "verbose": False,
    "post_execute": log_run,
}
"""Arguments of every Glue job run."""


SQL_MACROS: Final[dict[str, Any]] = {"columns": COLUMNS, "trail_regions": trail_regions}
"""What `include/sql` knows beside the parameters of a task: the columns of our tables, and the
regions of the trail's."""


class Tag(StrEnum):
    """What a failure costs, and what the DAG is about."""

    TIER_1 = "tier:1"
    """Custody is not being watched while this fails: act at once."""
    TIER_2 = "tier:2"
    """Data is late: act within the working day."""
    MEDALLION = "medallion"
    PROVENANCE = "provenance"


def include_root(dag_file: str) -> Path:
    """Where `dag_file` finds what it includes: its SQL, and the contracts.

    In the repository and on Astro that is `include` beside the folder of the DAGs. MWAA takes no
    folder beside it, so the bundle carries `include` inside.

    Raises:
        FileNotFoundError: it is in neither place. A DAG that loads without its SQL would fail at
            its first statement.
    """
    dags = Path(dag_file).resolve().parent
    for place in (dags, dags.parent):
        include = place / "include"
        if (include / "sql").is_dir():
            return include
    raise FileNotFoundError(f"there is no include/sql in {dags} (as on MWAA) or beside it")


def sql_root(dag_file: str) -> str:
    """Where `dag_file` finds its SQL, for `template_searchpath`; raises as `include_root` does."""
    return str(include_root(dag_file) / "sql")


def setting(name: str) -> str:
    """Template of one runtime setting, read when a task runs and never when a DAG is parsed."""
    return f"{{{{ var.json.custody.{name} }}}}"
