"""The role of Airflow's web server reads all that the console shows, and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from botocore.exceptions import ClientError
from tests.infra.cloudformation.conftest import answer, bucket
from tests.support.consoles import removed
from tests.support.grants import reasons, used
from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN
from tests.support.local_aws import LocalAws, role_arn
from tests.support.patience import wait_for
from tests.support.transparency import signer

from custody.aws.kms.seal_key import fetch_seal_key
from custody.aws.runs.keeping import keep_run
from custody.aws.s3.heads import SEAL_HEAD, remember
from custody.console.evidence import CurrentEvidence, Evidence
from custody.console.lives import NoSuchObject
from custody.console.objects import Objects
from custody.console.reading import Console
from custody.core.answers.model import Answer, Kind
from custody.core.answers.taking import Taken
from custody.core.case.object_check import Outcome
from custody.core.console.objects.life import Life
from custody.core.paging.found import Found
from custody.core.runs.chain import Link, Reached
from custody.core.seal.layout import log_origin
from custody.core.tlog.checkpoint import Checkpoint
from custody.settings import Settings

PAGE_OF_AN_OBJECT: Final = {
    "ListTheVersionsOfWhatWasMade",
    "ReadTheSeal",
    "ReadWhatLiesInARecordsPlace",
}
"""The statements of the role that nothing else needs."""


def test_airflows_role_reads_what_the_role_that_judges_signed(aws: LocalAws) -> None:
    ssm, kms, s3 = (aws.client(service, "airflow") for service in ("ssm", "kms", "s3"))
    name = "/custody/local/airflow/variables/custody"
    settings = Settings.parse(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    origin = log_origin(settings.provenance_bucket)
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - timedelta(hours=4)

    judging = aws.role_client("s3", "audit")
    # A key of our own: the platform's signs in a job alone.
    sealing = signer(name=origin)
    found = removed(event_time=f"{start:%Y-%m-%dT%H:%M:%SZ}")
    report = replace(REPORT, found=Found((found,)).to_document()).to_bytes()
    run = replace(RUN, job=settings.reconcile_job, id="jr_console", as_of=now, start=start, end=now)
    parts = {**PARTS, "report": report}
    bucket, analytics = settings.provenance_bucket, settings.analytics_bucket
    link = Link(Reached(now, now, start), None)
    key = settings.seal_key_arn
    keep_run(judging, bucket, run, BASIS, parts, signer=sealing, key_arn=key, link=link)
    remember(judging, analytics, SEAL_HEAD, Checkpoint(origin, 7, bytes(32)).sign(sealing))

    assert fetch_seal_key(kms, settings.seal_key_arn, origin).name == origin
    overview = Console(s3, settings, sealing.key).overview(start.date(), now)
    assert list(overview.findings) == [found.fingerprint]
    judged, audited, sealed, proven = (watcher.seen for watcher in overview.watchers)
    assert (judged, audited, proven) == (now, None, None)
    assert sealed is not None

    # What stands is answered by Airflow, and by who is on call.
    administrator = aws.client("kms", "platform-engineer")
    taken_on = {"role_arn": role_arn("on-call"), "source_profile": "platform-engineer"}
    aws.add_profile("on-call", **taken_on)
    for role in ("airflow", "on-call"):
        clients = [aws.client(service, role) for service in ("s3", "kms")]
        mine = Console(clients[0], settings, sealing.key, clients[1])
        seen = mine.overview(start.date(), datetime.now(UTC))
        (standing,) = seen.open
        time = datetime.now(UTC)
        at = time.replace(microsecond=time.microsecond // 1000 * 1000)
        mine.answer(
            Answer(
                finding=found.fingerprint,
                kind=Kind.CLOSED,
                by=role,
                reason="r",
                at=at,
            )
        )
        taken = mine.overview(start.date(), at + timedelta(seconds=1)).taken(standing)
        assert (taken.state, taken.answer and taken.answer.by) == (Taken.CLOSED, role)
        with pytest.raises(ClientError, match="AccessDenied"):
            Console(s3, settings, sealing.key, administrator).answer(taken.answer)


def test_airflows_role_reads_the_evidence_about_an_object_and_none_of_its_bytes(
    aws: LocalAws,
) -> None:
    key = "incoming/orders/dt=2026-11-01/looked-up.csv"
    written = aws.client("s3", "web-shop").put_object(Bucket=bucket("raw"), Key=key, Body=b"a,b\n")
    ssm, s3 = aws.client("ssm", "airflow"), aws.client("s3", "airflow")
    name = "/custody/local/airflow/variables/custody"
    settings = Settings.parse(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    console = Console(s3, settings, signer(name=log_origin(settings.provenance_bucket)).key)
    evidence = Evidence(settings, s3)
    evidence.kms = lambda _: aws.client("kms", "airflow")  # type: ignore[method-assign]
    keys = evidence.keys
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evidence, "keys", keys)
        objects = Objects(CurrentEvidence(lambda: console, lambda: datetime.now(UTC)))
        now = datetime.now(UTC)

        def recorded() -> Life | None:
            objects._kept.clear()
            life = objects.life(key, "", console.overview(now.date(), now))
            return life if life.checked.outcome is Outcome.OK else None

        life = wait_for(recorded)
        assert life.version.version_id == written["VersionId"]
        assert objects.case(key, "").content
        with pytest.raises(NoSuchObject):
            objects.life(
                "silver/orders/dt=2026-11-01/run=none/a", "", console.overview(now.date(), now)
            )
    assert answer(s3.get_object, Bucket=bucket("raw"), Key=key) == "AccessDenied"
    pinned = {
        right for right in reasons() if right[0] == "airflow" and right[1] in PAGE_OF_AN_OBJECT
    }
    assert pinned <= used(aws.home / "logs" / "grants.jsonl")
    assert len(pinned) == len(PAGE_OF_AN_OBJECT)
