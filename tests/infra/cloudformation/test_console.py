"""The role of Airflow's web server reads all that the console shows, and has no right for that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from tests.support.consoles import removed
from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN
from tests.support.local_aws import LocalAws, role_arn
from tests.support.transparency import signer

from custody.aws.kms.seal_key import fetch_seal_key
from custody.aws.runs.keeping import keep_run
from custody.aws.s3.heads import SEAL_HEAD, remember
from custody.console.reading import Console
from custody.core.answers.model import Answer, Kind
from custody.core.answers.taking import Taken
from custody.core.paging.found import Found
from custody.core.runs.chain import Link, Reached
from custody.core.seal.layout import log_origin
from custody.core.tlog.checkpoint import Checkpoint
from custody.settings import Settings


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
