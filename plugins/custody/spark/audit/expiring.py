"""Judging what was stated of runs that expire, and stating it of those that expire now."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from custody.aws.publications.expiring import Held, signed_alone, state_expired
from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.kinds.expiry import expiry_row
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.lineage.trust import Trust
from custody.core.publications.expiry import is_of_a_run, may_expire
from custody.core.publications.expiry_statement import sign_expiry
from custody.core.tlog.signed_note import NoteSigner
from custody.objects import ObjectVersion
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
    missing: Iterable[ObjectVersion],
    trust: Trust,
) -> None:
    """State of each run among what is `held` that it expires, if it does, and of which nothing was
    `stated` yet (the keys of what was): not where a publication is `missing` that is on record.

    Where nothing lies beside a run of its day, nothing is asked.
    """
    provenance, retention = settings.provenance_bucket, settings.run_retention_days
    layers = {settings.processed_bucket: "silver", settings.analytics_bucket: "gold"}
    lying = {
        one.version: one.stored_at
        for one in held
        if one.is_latest
        and not one.is_marker
        and is_of_a_run(layers.get(one.version.bucket, ""), one.version.key)
    }
    expired = state_expired(
        s3,
        may_expire(lying.items(), datetime.now(UTC) - retention, stated, missing),
        signed_alone(s3, provenance, trust, lying.keys()),
        analytics=settings.analytics_bucket,
        provenance=provenance,
        sign=lambda expiry: sign_expiry(expiry, signer, settings.seal_key_arn).to_json_line(),
        retention=retention,
        now=lambda: datetime.now(UTC),
    )
    for expiry in expired:
        log.info("run %s of %s expires: %s", expiry.run.id, expiry.run.dt, expiry.instead)
