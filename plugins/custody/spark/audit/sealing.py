"""Checking the seal, sealing the last days' records and verdicts, and having that cosigned."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pyspark import SparkContext
from pyspark.sql import SparkSession

from custody.aws.s3.errors import ObjectAbsent, code_of
from custody.aws.s3.heads import SEAL_HEAD, recall
from custody.aws.s3.listing import StoredVersion
from custody.aws.s3.reading import withholding_key
from custody.aws.seal.content import record_entry
from custody.aws.seal.cosigning import Cosigning, keep_cosigned
from custody.aws.seal.keeping import LocatedDefect, SealKept, keep_seal
from custody.aws.seal.log import Sealed
from custody.core.answers.model import ANSWER_PREFIX
from custody.core.ledger.kinds.keys import KeyAway
from custody.core.lineage.model import LINEAGE_PREFIX
from custody.core.publications.expiry import EXPIRY_PREFIX
from custody.core.records.names import RECORD_PREFIX
from custody.core.runs.model import RUN_PREFIX
from custody.core.seal.entries import RecordEntry, SealEntry, is_due
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from custody.cosigner_client import poster
from custody.settings import Settings
from custody.spark.audit.request import AuditRequest
from custody.spark.ledger import verdict_entries
from custody.spark.startup import s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

# One request each: enough of them at once to hide the waiting.
RECORDS_PER_SLICE = 512

RECORD_FOLDERS = (RECORD_PREFIX, LINEAGE_PREFIX, RUN_PREFIX, ANSWER_PREFIX, EXPIRY_PREFIX)
COSIGNED_HEAD = "cosigned"


def seal_recent(
    spark: SparkSession,
    settings: Settings,
    request: AuditRequest,
    s3: S3Client,
    records: Sequence[StoredVersion],
    verdicts: Sequence[str],
    signer: NoteSigner,
) -> tuple[SealKept, frozenset[KeyAway]]:
    """Check the seal against the head remembered, and seal those of the `records` that are of the
    last days or came in them, and the `verdicts` in these files. Also the keys for which some of
    the records could not be read."""
    provenance = settings.provenance_bucket
    first, last = request.recent[0], request.recent[-1]
    recent = [
        stored
        for stored in records
        if is_due(stored.version.key, stored.last_modified, first=first, last=last)
    ]

    away: set[KeyAway] = set()

    def entries() -> Iterator[SealEntry]:
        own_keys = [arn.rpartition("/")[2] for arn in settings.encryption_key_arns]
        found, keys = record_entries(spark.sparkContext, recent, s3_client, own_keys)
        away.update(keys)
        yield from found
        yield from verdict_entries(spark, verdicts)

    kept = keep_seal(
        s3,
        provenance,
        entries(),
        signer=signer,
        remembered=recall(s3, settings.analytics_bucket, SEAL_HEAD),
        sample=(request.as_of.toordinal() % request.sample_days, request.sample_days),
    )
    if kept.sealed is not None:
        log.info("sealed %d new entries", kept.sealed.appended)
    _tell(kept.defects)
    return kept, frozenset(away)


def cosigning_policy(settings: Settings) -> CosigningPolicy | None:
    """Whom the deployment wants to cosign its seal, None for nobody; raises `MalformedInput`."""
    text = settings.cosigning_policy
    return None if text is None else CosigningPolicy.parse(text)


def have_cosigned(
    policy: CosigningPolicy | None,
    settings: Settings,
    s3: S3Client,
    sealed: Sealed | None,
    key: NoteKey,
    now: datetime,
) -> Cosigning:
    """Ask those whom the policy names, if there is one, to cosign what was sealed with `key`."""
    if policy is None:
        return Cosigning()
    cosigning = keep_cosigned(
        s3,
        settings.provenance_bucket,
        sealed,
        policy,
        key=key,
        last=recall(s3, settings.analytics_bucket, COSIGNED_HEAD),
        reach=poster,
        now=now,
    )
    for name, answer in cosigning.answers.items():
        log.info("%s %s", name, f"did not sign: {answer.trouble}" if answer.trouble else "signed")
    _tell(cosigning.defects)
    return cosigning


def _tell(defects: Iterable[LocatedDefect]) -> None:
    for located in defects:
        log.error("the seal does not hold: %s: %s", located.defect.path, located.defect.reason)


def record_entries(
    context: SparkContext,
    records: Sequence[StoredVersion],
    s3_client: Callable[[], S3Client],
    own_keys: Collection[str],
) -> tuple[list[RecordEntry], frozenset[KeyAway]]:
    """The records as the seal holds them (the key of each and the SHA-256 of its envelope), and
    those of `own_keys` (their ids) that cannot be used.

    What is gone since it was listed, or encrypted under another key or one of these, is left out.
    """
    slices = max(1, len(records) // RECORDS_PER_SLICE)
    found: list[RecordEntry | KeyAway] = (
        context.parallelize(records, slices)
        .mapPartitions(lambda some: hashed(some, s3_client, own_keys))
        .collect()
    )
    entries = [one for one in found if isinstance(one, RecordEntry)]
    return entries, frozenset(one for one in found if isinstance(one, KeyAway))


def hashed(
    records: Iterable[StoredVersion],
    s3_client: Callable[[], S3Client],
    own_keys: Collection[str],
) -> Iterator[RecordEntry | KeyAway]:
    """The entry of each of the records that can be read; for one that cannot, as a key of the
    deployment's own is away, that."""
    s3 = s3_client()
    for stored in records:
        try:
            yield record_entry(s3, stored)
        except ObjectAbsent as error:
            log.warning("%s is not sealed, as it is gone: %s", stored, error)
        except ClientError as error:
            key = withholding_key(s3, stored.version, error)
            if key is None or not own_keys:
                raise
            log.warning("%s is not sealed, as S3 does not hand it out: %s", stored, error)
            if key in own_keys:
                yield KeyAway(key, code_of(error))
