"""A run of a job that judges: by what it judges, and what it states of itself when it has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from custody.aws.kms.public_keys import trusted_keys
from custody.aws.kms.seal_key import kms_signer
from custody.aws.runs.keeping import keep_run
from custody.core.lineage.trust import LineageKeys
from custody.core.records.checking import TrustedKey
from custody.core.runs.chain import Link
from custody.core.runs.files import WrittenFile, files_to_bytes
from custody.core.runs.model import RUNS, Basis, JudgingRun
from custody.core.runs.report import RunReport, asked_for
from custody.core.runs.statement import RunStatement
from custody.core.runs.trust import trust_sha256
from custody.core.seal.layout import log_origin
from custody.core.tlog.signed_note import NoteSigner
from custody.settings import Settings
from custody.spark.glue_runs import GlueRun, check_deployed
from custody.spark.ledger import Written
from custody.spark.startup import kms_client, s3_client


@dataclass(frozen=True)
class Judge:
    """A run of a job, the deployment's settings, the files of the deployed bundle (`sums`, its
    `SHA256SUMS`), and the keys that it believes."""

    run: GlueRun
    settings: Settings
    sums: bytes
    records: Mapping[str, TrustedKey]
    lineage: LineageKeys

    @classmethod
    def of(cls, run: GlueRun) -> Judge:
        """The judge of a run with the argument `settings`.

        Raises `OtherCode` if it is not the deployed code that runs, as far as that can tell;
        `MalformedInput`, or what botocore raises.
        """
        settings = Settings.parse(run.parameters["settings"])
        sums = check_deployed(s3_client(), run, settings.code_location)
        lineage = {
            key: kms_client(key).get_public_key(KeyId=key)["PublicKey"]
            for key in (settings.lineage_key_arn, *settings.former_lineage_keys)
        }
        return cls(
            run,
            settings,
            sums,
            trusted_keys(kms_client(settings.signing_key_arn), settings),
            LineageKeys(lineage, settings.builders),
        )

    @property
    def asked(self) -> str:
        """What Airflow says of who asked for the run, and how."""
        orders = (self.run.parameters.get(name, "{}") for name in ("window", "audit"))
        return "".join(asked_for(json.loads(order)) for order in orders)

    @property
    def basis(self) -> Basis:
        """What it judges by."""
        code = {material.name: material.sha256 for material in self.run.materials}
        return Basis(
            policy=self.settings.sha256,
            trust=trust_sha256(self.records, self.lineage),
            script=code["script"],
            package=code["package"],
        )

    def state(
        self,
        as_of: datetime,
        span: tuple[datetime, datetime],
        rows: Written,
        written: Iterable[WrittenFile] = (),
        link: Link | None = None,
        sweep: Mapping[str, object] | None = None,
        airflow: Mapping[str, object] | None = None,
        runs: bytes | None = None,
    ) -> RunStatement:
        """Sign and keep what the run found in `span` (start and end), as of `as_of`: the rows, and
        the files that it has `written`; its `link`, where runs make a chain, its `sweep`, and what
        people did in `airflow`, if it asked; and the summaries of other `runs`, if it is an audit.

        Raises what `keep_run` raises.
        """
        settings = self.settings
        found = rows.found.to_document()
        report = RunReport(settings.fields.values, rows.verdicts, found, self.asked, sweep, airflow)
        parts = {"report": report.to_bytes(), "files": files_to_bytes(written)}
        return keep_run(
            s3_client(),
            settings.provenance_bucket,
            JudgingRun(self.run.job_name, self.run.id, as_of, *span),
            self.basis,
            parts if runs is None else {**parts, RUNS: runs},
            signer=seal_signer(settings),
            key_arn=settings.seal_key_arn,
            link=link,
        ).statement


def seal_signer(settings: Settings) -> NoteSigner:
    """Who signs the seal of the deployment, and what the runs state."""
    key = settings.seal_key_arn
    origin = log_origin(settings.provenance_bucket)
    return kms_signer(kms_client(key), key, origin, settings.former_seal_keys)
