"""Attacks with what is the platform's own: its roles, given to something else; the seal's key."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.attacks.attack import Finding, made
from tests.attacks.controls import changed
from tests.attacks.world import INSIDER, World, lifted

from custody.aws.kms.seal_key import kms_signer
from custody.aws.runs.keeping import keep_run
from custody.aws.runs.last import last_run
from custody.core.runs.chain import Link, Reached
from custody.core.runs.files import files_to_bytes
from custody.core.runs.model import JudgingRun
from custody.core.runs.report import RunReport
from custody.core.runs.whole_hours import HOUR, floor_hour
from custody.core.seal.layout import log_origin
from custody.core.tlog.signed_note import NoteSigner
from rehearsal import tampering

_LOOKBACK = 3 * HOUR
"""What the DAG judges once more (`lookback_hours`)."""


# Roles


def _auditor(world: World) -> str:
    name = f"{world.workgroup}-audit"
    return str(world.client("iam").get_role(RoleName=name)["Role"]["Arn"])


@made(INSIDER)
def a_job_of_his_gets_the_judges_role(world: World) -> list[Finding]:
    """makes a job of his own that works as the role that judges, and deletes it again"""
    glue = world.client("glue")
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{world.raw}/mine.py"}
    glue.create_job(Name="tidy-up", Role=_auditor(world), Command=command)
    glue.delete_job(JobName="tidy-up")
    return changed(world, f"glue/role/{world.workgroup}-audit/use")


@made(INSIDER)
def a_function_of_his_gets_the_judges_role(world: World) -> list[Finding]:
    """makes a function of his own that works as the role that judges, and deletes it again"""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as code:
        code.writestr("mine.py", "def handler(event, context): ...\n")
    functions = world.client("lambda")
    functions.create_function(
        FunctionName="tidy-up",
        Runtime="python3.12",
        Handler="mine.handler",
        Role=_auditor(world),
        Code={"ZipFile": packed.getvalue()},
    )
    functions.delete_function(FunctionName="tidy-up")
    return changed(world, f"lambda/role/{world.workgroup}-audit/use")


@made(INSIDER)
def a_role_is_taken_unseen(world: World) -> list[Finding]:
    """has the trail log no calls of management, takes Glue's role meanwhile, and writes into silver

    What he writes in that session passes for the job's: no log shows who took it. That the trail
    looked away is his doing, and told.
    """
    trail, name = world.client("cloudtrail"), world.platform.settings["trail_name"]
    before = trail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"]
    data = {"Field": "eventCategory", "Equals": ["Data"]}
    blind = [selector for selector in before if data in selector["FieldSelectors"]]
    trail.put_event_selectors(TrailName=name, AdvancedEventSelectors=blind)
    try:
        with world.changes.unseen():
            s3 = world.as_role(f"{world.workgroup}-glue")("s3")
    finally:
        trail.put_event_selectors(TrailName=name, AdvancedEventSelectors=before)
    key = "silver/customers/dt=2026-11-03/run=jr_unseen/part-0.parquet"
    s3.put_object(Bucket=world.processed, Key=key, Body=b"PAR1")
    return changed(world, f"cloudtrail/trail/{name}/selectors")


# The key that signs what runs state


@contextmanager
def _signing(world: World) -> Iterator[NoteSigner]:
    kms, key = world.client("kms"), world.platform.settings["seal_key_arn"]
    with tampering.granted_signing(kms, key, world.arn(INSIDER)):
        yield kms_signer(kms, key, log_origin(world.provenance))


@made(INSIDER)
def the_chain_is_signed(world: World) -> list[Finding]:
    """has the seal's key sign that a run found nothing, and that all hours until now are closed

    It is the last run, then. But whatever is closed, the hours before it are judged once more, and
    in those he did it.
    """
    settings, now = world.platform.settings, datetime.now(UTC).replace(microsecond=0)
    job, hour = settings["reconcile_job"], floor_hour(now)
    nothing = RunReport(settings, {}, {"rows": [], "unread": [], "watched": []})
    parts = {"report": nothing.to_bytes(), "files": files_to_bytes([])}
    run = JudgingRun(job, "jr_signed", now, hour - HOUR, hour)
    with _signing(world) as signer, lifted(world, world.provenance) as s3:
        before = last_run(s3, signer.key, world.provenance, job=job, as_of=now)
        assert before is not None
        link = Link(Reached(hour, hour, hour), before.run.statement_key)
        key_arn = settings["seal_key_arn"]
        keep_run(
            s3,
            world.provenance,
            run,
            before.basis,
            parts,
            signer=signer,
            key_arn=key_arn,
            link=link,
        )
        last = last_run(s3, signer.key, world.provenance, job=job, as_of=now)
    assert last is not None
    assert last.link == link, "it is not taken for the last run"
    start, end = last.link.reached.owed(hour + HOUR, _LOOKBACK)
    assert start <= now - timedelta(minutes=5)
    assert now < end
    keys = [run.statement_key, *(run.key_of(part) for part in parts)]
    heads = {key: s3.head_object(Bucket=world.provenance, Key=key)["VersionId"] for key in keys}
    return [
        Finding("UNEXPECTED_PRINCIPAL", world.provenance, key, version, world.arn(INSIDER))
        for key, version in heads.items()
    ]


ATTACKS = [
    a_job_of_his_gets_the_judges_role,
    a_function_of_his_gets_the_judges_role,
    a_role_is_taken_unseen,
]
