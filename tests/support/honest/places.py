"""The honest platform: its buckets, roles and people, and its settings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from custody.settings import Settings

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
ACCOUNT: Final = "111122223333"
STACK: Final = "custody-local"
DATABASE: Final = "custody_local"

RAW, PROCESSED, ANALYTICS = "raw", "processed", "analytics"
PROVENANCE: Final = "provenance"
RESULTS: Final = "results"
LAYERS: Final = {RAW: "bronze", PROCESSED: "silver", ANALYTICS: "gold"}


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{STACK}-{name}"


def _user(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


GLUE: Final = _role("glue")
RECORDER: Final = _role("recorder")
AUDITOR: Final = _role("audit")
AIRFLOW: Final = _role("airflow")
DEPLOYMENT: Final = _role("cloudformation")
ENGINEER: Final = _user("platform-engineer")
UPLOADERS: Final = tuple(map(_user, ("crm-export", "web-shop", "partner-feed")))
KEYS: Final = (
    "incoming/customers/dt=2026-11-01/a b+c.csv",
    "incoming/customers/é%20🗃️.csv",
    "incoming/x/",
)

SETTINGS: Final = {
    "project": "custody",
    "stage": "local",
    "partition": "aws",
    "account_id": ACCOUNT,
    "region": "us-east-1",
    "raw_bucket": RAW,
    "processed_bucket": PROCESSED,
    "analytics_bucket": ANALYTICS,
    "provenance_bucket": PROVENANCE,
    "trail_bucket": "trail",
    "artifacts_bucket": "artifacts",
    "athena_results_bucket": RESULTS,
    "trail_name": STACK,
    "database": DATABASE,
    "uploader_arns": ",".join(UPLOADERS),
    "uploads": "customers x=crm-export partner-feed web-shop",
    "airflow_trusted_arns": ENGINEER,
    "deployer_arns": ENGINEER,
    "signing_key_arn": "arn:aws:kms:us-east-1:111122223333:key/key-1",
    "lineage_key_arn": "arn:aws:kms:us-east-1:111122223333:key/lineage",
    "seal_key_arn": "arn:aws:kms:us-east-1:111122223333:key/seal",
    "encryption_key_arns": "arn:aws:kms:us-east-1:111122223333:key/data",
    "former_signing_keys": "",
    "former_uploaders": "",
}
"""What the stacks tell the jobs, until somebody deploys them otherwise."""


def settings(**changes: str) -> Settings:
    """The settings with some `changes`."""
    return Settings.parse(SETTINGS | changes)
