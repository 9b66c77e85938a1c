"""What earlier audits know of versions without a record, by their own signed word."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.runs.last import last_report
from custody.aws.s3.errors import ObjectWithheld
from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.kinds.sweep import Sweep, Swept
from custody.core.tlog.signed_note import NoteKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)


def swept_before(s3: S3Client, key: NoteKey, bucket: str, *, job: str, as_of: datetime) -> Swept:
    """What the last audit (a run of `job`) whose report can be read knew of such versions.

    Nothing, if S3 hands out no statement of a run for how each is encrypted: then what stands is
    hashed anew, and who did that is in the trail. Raises what botocore raises.
    """
    try:
        report = last_report(s3, key, bucket, job=job, as_of=as_of)
        if report is None or report.sweep is None:
            return {}
        return Sweep.from_document(report.sweep).versions
    except (ObjectWithheld, MalformedInput) as error:
        log.warning("what earlier sweeps knew cannot be used: %s", error)
        return {}
