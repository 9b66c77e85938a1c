"""Holding people's answers to findings against the key that signs them, and against the trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pyspark.rdd import RDD

from custody.aws.answers.keeping import read_stored
from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.s3.listing import StoredVersion
from custody.core.ledger.kinds.answers import answer_row, is_answer
from custody.core.ledger.policy import AIRFLOW, Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.trail.events import TrailEvent
from custody.settings import Settings
from custody.spark.startup import kms_client, s3_client


def answer_rows(
    stored: Sequence[StoredVersion],
    events: RDD[TrailEvent],
    policy: Policy,
    settings: Settings,
    *,
    since: datetime,
) -> list[LedgerRow]:
    """The rows of those `stored` answers that came `since` then and must not be believed."""
    recent = [each for each in stored if each.last_modified >= since]
    if not recent:
        return []
    key = settings.answer_key_arn
    keys = fetch_public_keys(kms_client(key), [key]) if key else {}
    written = events.filter(lambda event: is_answer(event, policy)).collect()
    writes = {(event.key, event.version_id): event for event in written}
    s3, airflow = s3_client(), settings.role(AIRFLOW)
    read = (read_stored(s3, each, keys) for each in recent)
    rows = (
        answer_row(
            one, writes.get((one.version.key, one.version.version_id)), policy, airflow=airflow
        )
        for one in read
        if one is not None
    )
    return [row for row in rows if row is not None]
