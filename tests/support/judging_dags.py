"""What tasks of DAGs that judge meet: runs as they were signed, and a topic that takes pages."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.judging_runs import BASIS, PARTS, RUN
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY, make_bucket
from tests.support.transparency import SIGNER

from custody.aws.runs.keeping import keep_run
from custody.core.ledger.rows import fingerprint
from custody.core.paging.findings import cause_of, read_row
from custody.core.paging.found import found_of
from custody.core.runs.chain import Link
from custody.core.runs.model import JudgingRun
from custody.core.runs.report import RunReport
from custody.core.seal.layout import log_origin
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from custody.objects import ObjectVersion

HOUR = timedelta(hours=1)
TOPIC = "arn:aws:sns:us-east-1:111122223333:deployed"
TRY = SimpleNamespace(try_number=1)


def dag_run(
    start: datetime | None = None, end: datetime | None = None, **more: Any
) -> SimpleNamespace:
    """A run of a DAG over an interval, as its tasks see it."""
    told: dict[str, Any] = {
        "dag_id": "provenance_reconcile",
        "run_id": "scheduled__2026-11-01T06:35:00+00:00",
        "run_type": "scheduled",
        "triggering_user_name": None,
        "clear_number": 0,
    }
    return SimpleNamespace(data_interval_start=start, data_interval_end=end, **told | more)


def row(verdict: str, key: str) -> dict[str, Any]:
    """A row of the ledger that judges an object."""
    return {
        "verdict": verdict,
        "bucket": "raw",
        "object_key": key,
        "version_id": "v1",
        "principal_arn": None,
        "event_time": "2026-11-01T06:00:01Z",
        "verdict_reason": "because",
        "fingerprint": fingerprint(verdict, ObjectVersion("raw", key, "v1")),
    }


CONFLICT, UNRECORDED = row("CONFLICT", "{{ a }}.csv"), row("UNRECORDED", "b.csv")
VERIFIED = row("VERIFIED", "b.csv")


class SealKms:
    """The public half of the key that seals."""

    def get_public_key(self, KeyId: str) -> dict[str, bytes]:  # noqa: N803
        assert KeyId == "arn:seal"
        public = Ed25519PublicKey.from_public_bytes(SIGNER.key.public_key)
        return {"PublicKey": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}


class Kms(SealKms):
    """That, and the public half of the key that signs answers."""

    def get_public_key(self, KeyId: str) -> dict[str, bytes]:  # noqa: N803
        if KeyId != KEY_ARN:
            return super().get_public_key(KeyId)
        public = PRIVATE_KEY.public_key()
        return {"PublicKey": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}


class Runs:
    """Runs of the job that judges, each later than the one before."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3
        self.bucket = make_bucket(s3, "custody-test-provenance")
        self.judge = {"job": RUN.job, "bucket": self.bucket, "key": "arn:seal", "former": ""}
        self.count = 0

    def state(
        self,
        run: JudgingRun,
        link: Link | None = None,
        by: NoteSigner = SIGNER,
        parts: Mapping[str, bytes] = PARTS,
    ) -> None:
        """A run states something."""
        signer = NoteSigner(NoteKey(log_origin(self.bucket), by.key.public_key), by.sign)
        keep_run(
            self.s3, self.bucket, run, BASIS, parts, signer=signer, key_arn="arn:seal", link=link
        )

    def found(
        self,
        rows: Iterable[dict[str, Any]],
        watched: Iterable[str] = (),
        verdicts: dict[str, int] | None = None,
        topic: str = TOPIC,
        as_of: datetime = RUN.as_of,
        end: datetime = RUN.end,
        settings: dict[str, str] | None = None,
    ) -> str:
        """The id of a run that found these rows, and wrote so many verdicts."""
        self.count += 1
        later = timedelta(seconds=self.count)
        run = replace(RUN, id=f"jr_{self.count}", as_of=as_of + later, end=end)
        read = [read_row(row) for row in rows]
        found = found_of(read, dict.fromkeys(map(cause_of, read), 2), watched)
        judged_by = {**(settings or {}), "topic_arn": topic}
        report = RunReport(judged_by, verdicts or {}, found.to_document())
        self.state(run, parts={**PARTS, "report": report.to_bytes()})
        return run.id


class Sns:
    """Takes pages for a topic, but for those about what it is told to refuse."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.refused: tuple[str, ...] = ()

    def publish(self, **page: Any) -> dict[str, str]:
        if any(word in page["Subject"] for word in self.refused):
            raise ClientError({"Error": {"Code": "Throttling"}}, "Publish")
        self.sent.append(page)
        return {"MessageId": f"m-{len(self.sent)}"}

    def told(self) -> list[str]:
        """The subjects of what was sent since this was asked last, without what they are about."""
        sent, self.sent = self.sent, []
        return [page["Subject"].split(" (")[0] for page in sent]
