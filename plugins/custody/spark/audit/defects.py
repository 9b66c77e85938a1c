"""What is wrong with the trail, the seal, and the heads remembered, as rows of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from custody.aws.s3.heads import SEAL_HEAD, TRAIL_HEAD, head_key
from custody.aws.s3.listing import latest_version_id
from custody.aws.seal.keeping import LocatedDefect, version_of
from custody.core.ledger.attribution import trail_rows
from custody.core.ledger.kinds.defects import dated_defect
from custody.core.ledger.kinds.seal import seal_row
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.core.seal.check import COSIGNED, REMEMBERED
from custody.core.trail.defects import TrailDefect
from custody.objects import ObjectVersion
from custody.settings import Settings
from custody.spark.audit.sealing import COSIGNED_HEAD
from custody.spark.trail import TrailContents, latest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def defect_rows(
    trail_defects: Sequence[TrailDefect],
    seal_defects: Sequence[LocatedDefect],
    contents: TrailContents,
    policy: Policy,
    settings: Settings,
    s3: S3Client,
) -> list[LedgerRow]:
    """The rows of what is wrong with the trail and the seal."""
    analytics, provenance = settings.analytics_bucket, settings.provenance_bucket
    defects = [dated_defect(defect, policy.as_of) for defect in trail_defects]
    heads = {
        REMEMBERED: (analytics, head_key(SEAL_HEAD)),
        COSIGNED: (analytics, head_key(COSIGNED_HEAD)),
    }
    versions = [
        (located.defect, version_of(s3, located, bucket=provenance, heads=heads))
        for located in seal_defects
    ]
    auditor = (settings.auditor,)
    touched = latest(contents.events, ((defect.bucket, defect.key) for defect in defects))
    undeclared = latest(
        contents.events.filter(lambda event: not event.who.is_one_of(auditor)),
        ((version.bucket, version.key) for _, version in versions),
    )
    rows = trail_rows(defects, contents.calls, touched, policy)
    rows += [
        seal_row(defect, version, policy, undeclared.get((version.bucket, version.key)))
        for defect, version in versions
    ]
    return rows


def unusable_head_row(trouble: str, policy: Policy, settings: Settings, s3: S3Client) -> LedgerRow:
    """The row of a remembered head of the trail that cannot be used, for `trouble`."""
    bucket, key = settings.analytics_bucket, head_key(TRAIL_HEAD)
    return row_of_call(
        Verdict.BAD_SIGNATURE,
        f"The head of the trail that was remembered cannot be used: {trouble}. The "
        "trail was proven from its beginning.",
        ObjectVersion(bucket, key, latest_version_id(s3, bucket, key)),
        time=policy.as_of,
        policy=policy,
        call=None,
    )
