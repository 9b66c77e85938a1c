"""Judging what was stated of runs that expire, and stating it of those that expire now."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from custody.aws.publications.expiring import Held, state_expired
from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.kinds.expiry import expiry_row
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.publications.expiry import expiry_key, is_of_a_run, not_alone, runs_at_rest
from custody.core.publications.expiry_statement import sign_expiry
from custody.core.publications.model import place_of
from custody.core.tlog.signed_note import NoteSigner
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)


def expiry_rows(held: Iterable[Held], policy: Policy) -> list[LedgerRow]:
    """The rows of those statements by which no run expires."""
    rows = (expiry_row(read, why_not, policy) for read, why_not in held)
    return [row for row in rows if row is not None]


def state_expired_runs(
    s3: S3Client,
    signer: NoteSigner,
    settings: Settings,
    held: Sequence[HeldVersion],
    stated: Collection[str],
) -> None:
    """State of each run among what is `held` that it expires, if it does, and of which nothing was
    `stated` yet (the keys of what was).

    Where nothing lies beside a run of its day, nothing is asked.
    """
    layers = {settings.processed_bucket: "silver", settings.analytics_bucket: "gold"}
    retention, now = settings.run_retention_days, datetime.now(UTC)
    datasets: dict[str, set[str]] = {}
    for version in held:
        place = place_of(version.version.key)
        if place is not None and version.version.bucket == settings.analytics_bucket:
            datasets.setdefault(place[1], set()).add(place[0])
    lying = runs_at_rest(
        (one.version, one.stored_at)
        for one in held
        if one.is_latest
        and not one.is_marker
        and is_of_a_run(layers.get(one.version.bucket, ""), one.version.key)
    )
    expired = state_expired(
        s3,
        [
            run
            for run in not_alone(lying)
            if run.written_at <= now - retention and expiry_key(run.run) not in stated
        ],
        lambda run: sorted(datasets.get(run.dt, ())),
        analytics=settings.analytics_bucket,
        provenance=settings.provenance_bucket,
        sign=lambda expiry: sign_expiry(expiry, signer, settings.seal_key_arn).to_json_line(),
        retention=retention,
        now=lambda: datetime.now(UTC),
    )
    for expiry in expired:
        log.info("run %s of %s expires: %s", expiry.run.id, expiry.run.dt, expiry.instead)
