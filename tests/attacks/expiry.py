"""Attacks with what removes runs: its role, and the statements that it acts on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.attacks.attack import Finding, Outcome, made
from tests.attacks.controls import changed
from tests.attacks.world import INSIDER, World, lifted

from custody.aws.kms.seal_key import kms_signer
from custody.core.lineage.model import Run
from custody.core.publications.expiry import Expiry
from custody.core.publications.expiry_statement import sign_expiry
from custody.core.publications.model import Asked, Publication, Shown, Why
from custody.core.seal.layout import log_origin
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from rehearsal import tampering
from rehearsal.waiting import wait_until

DT: Final = "2026-11-03"


def _folder(run: str) -> str:
    return f"silver/customers/dt={DT}/run={run}/"


def _says(world: World, run: str, signer: NoteSigner, dataset: str = "customers") -> Finding:
    """The insider states that a run expires, by what is published of a dataset; he is no declared
    writer of that."""
    expiry = Expiry(
        run=Run(DT, run),
        dataset=dataset,
        locations=(f"s3://{world.processed}/{_folder(run)}",),
        listing="0" * 64,
        instead=f"publications/{dataset}/dt={DT}/000001.json",
        stated_at=datetime.now(UTC),
        retention=timedelta(days=90),
    )
    body = sign_expiry(expiry, signer, world.platform.settings["seal_key_arn"]).to_json_line()
    with lifted(world, world.provenance) as s3:
        put = s3.put_object(Bucket=world.provenance, Key=expiry.key, Body=body, IfNoneMatch="*")
    version = str(put["VersionId"])
    who = world.arn(INSIDER)
    return Finding("UNEXPECTED_PRINCIPAL", world.provenance, expiry.key, version, who)


def _publishes(world: World, dataset: str, run: str) -> Finding:
    """The insider publishes a run of silver; he is no declared writer of that either."""
    shown = Shown("silver_customers", run, f"s3://{world.processed}/{_folder(run)}")
    asked = Asked("scheduled__1", 0, None, None)
    made = Publication(dataset, DT, 1, f"{DT}T06:00:00.000Z", Why.BUILD, asked, (shown,))
    with lifted(world, world.analytics) as s3:
        put = s3.put_object(
            Bucket=world.analytics, Key=made.key, Body=made.to_bytes(), IfNoneMatch="*"
        )
    version = str(put["VersionId"])
    who = world.arn(INSIDER)
    return Finding("UNEXPECTED_PRINCIPAL", world.analytics, made.key, version, who)


def _told(verdict: str, written: Finding) -> Finding:
    """What the audit says of the statement itself."""
    return Finding(verdict, written.bucket, written.key, written.version_id, None)


@made(INSIDER, call="PutObject")
def the_seals_key_says_that_a_run_expires(world: World) -> Outcome:
    """has the seal's key sign that a run expires beside which nothing else is published"""
    kms, key = world.client("kms"), world.platform.settings["seal_key_arn"]
    with tampering.granted_signing(kms, key, world.arn(INSIDER)):
        signer = kms_signer(kms, key, log_origin(world.provenance))
        written = _says(world, "jr_signed_away", signer)
    found = (_told("CONFLICT", written),)
    return Outcome(found, found, reconciled=(written,))


@made(INSIDER, call="PutObject")
def the_visible_run_expires_by_an_invented_dataset(world: World) -> Outcome:
    """has the seal's key sign the visible run away, by what he published of an invented dataset"""
    published = (
        _publishes(world, "shown", "jr_shown"),
        _publishes(world, "invented", "jr_invented"),
    )
    kms, key = world.client("kms"), world.platform.settings["seal_key_arn"]
    with tampering.granted_signing(kms, key, world.arn(INSIDER)):
        signer = kms_signer(kms, key, log_origin(world.provenance))
        written = _says(world, "jr_shown", signer, "invented")
    found = (_told("CONFLICT", written),)
    return Outcome(found, found, reconciled=(*published, written))


@made(INSIDER, call="PutObject")
def a_run_is_removed_by_a_forged_statement(world: World) -> Outcome:
    """forges that a run of silver expires, with a key of his own, and hides what lies of it"""
    own = Ed25519PrivateKey.generate()
    key = NoteKey(log_origin(world.provenance), own.public_key().public_bytes_raw())
    written = _says(world, "jr_forged_away", NoteSigner(key, own.sign))
    place = f"{_folder('jr_forged_away')}part-0.parquet"
    marker = world.hide(world.processed, place)
    removed = Finding("REMOVED", world.processed, place, marker, world.arn(INSIDER))
    found = (_told("BAD_SIGNATURE", written), removed)
    return Outcome(found, found, reconciled=(written, removed))


_SCRIPT: Final = b"""import sys
import boto3
bucket, _, key = sys.argv[sys.argv.index("--place") + 1].partition("/")
boto3.client("s3").delete_object(Bucket=bucket, Key=key)
"""


@made(INSIDER)
def a_job_of_his_hides_a_run(world: World) -> list[Finding]:
    """has a job of his own, as the role that expires runs, hide one that no statement names"""
    code, script = world.platform.settings["artifacts_bucket"], "tidy-away.py"
    with lifted(world, code) as s3:
        put = s3.put_object(Bucket=code, Key=script, Body=_SCRIPT)
    place, name = f"{_folder('jr_visible')}part-0.parquet", f"{world.workgroup}-expiry"
    role = world.client("iam").get_role(RoleName=name)["Role"]["Arn"]
    run = _run(
        world,
        {"Name": "glueetl", "ScriptLocation": f"s3://{code}/{script}"},
        role,
        f"{world.processed}/{place}",
    )
    (marker,) = world.s3.list_object_versions(Bucket=world.processed, Prefix=place)["DeleteMarkers"]
    account = world.platform.settings["account_id"]
    session = f"arn:aws:sts::{account}:assumed-role/{name}/GlueJobRunnerSession-{run[-16:]}"
    return [
        Finding("UNEXPECTED_PRINCIPAL", code, script, put["VersionId"], world.arn(INSIDER)),
        Finding("REMOVED", world.processed, place, marker["VersionId"], session),
        *changed(world, f"glue/role/{name}/use"),
    ]


def _run(world: World, command: dict[str, str], role: str, place: str) -> str:
    """Make a job, run it with a place, and delete it; the run's id."""
    glue, job, state = world.client("glue"), "tidy-away", dict[str, str]()
    glue.create_job(Name=job, Role=role, Command=command)
    run = glue.start_job_run(JobName=job, Arguments={"--place": place})["JobRunId"]

    def ended() -> bool:
        state.update(glue.get_job_run(JobName=job, RunId=run)["JobRun"])
        return state["JobRunState"] in {"SUCCEEDED", "FAILED"}

    wait_until("his job has ended", ended, seconds=120)
    assert state["JobRunState"] == "SUCCEEDED", state
    glue.delete_job(JobName=job)
    return str(run)


AT_REST = [
    the_seals_key_says_that_a_run_expires,
    the_visible_run_expires_by_an_invented_dataset,
    a_run_is_removed_by_a_forged_statement,
]
ATTACKS = [a_job_of_his_hides_a_run]
