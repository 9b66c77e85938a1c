"""Attacks on the ledger's own tables and on what is kept of checks. They need a reconciliation
whose verdicts and caches they falsify."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.attacks.attack import Finding, Outcome, made
from tests.attacks.judging import JOB_NAMES
from tests.attacks.world import INSIDER, World, lifted

from custody.aws.catalog import Pointer, point_partitions
from custody.core.formats.dsse import Envelope
from custody.core.ledger.rows import CATALOG, CONTROL
from custody.core.runs.chain import Link, Reached
from custody.core.runs.model import RUN_PREFIX, run_of_key
from custody.core.runs.statement import from_payload, to_payload


def _newest_part(world: World) -> str:
    """The key of a Parquet file of the newest verdicts."""
    found = world.s3.list_objects_v2(Bucket=world.analytics, Prefix=world.outputs[-1])
    return min(str(i["Key"]) for i in found["Contents"] if i["Key"].endswith(".parquet"))


def _put(world: World, key: str, body: bytes = b"PAR1") -> list[Finding]:
    with lifted(world, world.analytics) as s3:
        version = s3.put_object(Bucket=world.analytics, Key=key, Body=body)["VersionId"]
    return [Finding("UNEXPECTED_PRINCIPAL", world.analytics, key, version, world.arn(INSIDER))]


def _point(world: World, part: str, run: str) -> Finding:
    """Point the partition of a verdict's file at another run's verdicts."""
    database = world.platform.settings["database"]
    dt, hour = (folder.partition("=")[2] for folder in part.split("/")[2:4])
    point_partitions(
        world.client("glue"),
        database,
        "reconciliation",
        [Pointer((dt, hour), f"s3://{world.analytics}/{run}dt={dt}/hour={hour}/")],
    )
    return Finding(
        "UNEXPECTED_PRINCIPAL",
        CATALOG,
        f"{database}/reconciliation/{dt}/{hour}",
        "null",
        world.arn(INSIDER),
    )


@made(INSIDER)
def verdicts_are_overwritten(world: World) -> list[Finding]:
    """overwrites a Parquet file of the verdicts"""
    return _put(world, _newest_part(world))


@made(INSIDER)
def verdicts_are_replaced_for_good(world: World) -> list[Finding]:
    """overwrites a Parquet file of the verdicts and deletes what it held for good"""
    key = _newest_part(world)
    before = world.s3.head_object(Bucket=world.analytics, Key=key)["VersionId"]
    forged = _put(world, key)
    world.destroy(world.analytics, key, before)
    return [*forged, Finding("REMOVED", world.analytics, key, before, world.arn(INSIDER))]


@made(INSIDER)
def verdicts_are_hidden(world: World) -> list[Finding]:
    """deletes a Parquet file of the verdicts, which hides it behind a delete marker"""
    key = _newest_part(world)
    marker = world.hide(world.analytics, key)
    return [Finding("REMOVED", world.analytics, key, marker, world.arn(INSIDER))]


@made(INSIDER)
def verdicts_are_invented(world: World) -> list[Finding]:
    """points a partition of the verdicts at a file of his own"""
    part = _newest_part(world)
    folder = "reconciliation/run=jr_invented/"
    found = _put(world, folder + "/".join(part.split("/")[2:]))
    return [*found, _point(world, part, folder)]


@made(INSIDER)
def verdicts_are_turned_back(world: World) -> list[Finding]:
    """points a partition of the verdicts at nothing, as if nobody had done anything"""
    return [_point(world, _newest_part(world), "reconciliation/run=jr_nothing/")]


def _statements(world: World) -> list[str]:
    """The keys of what the runs of this world state, the last one at the end."""
    found = world.s3.list_objects_v2(Bucket=world.provenance, Prefix=RUN_PREFIX)["Contents"]
    by_time = sorted(found, key=lambda item: item["LastModified"])
    return [str(item["Key"]) for item in by_time if run_of_key(str(item["Key"])) is not None]


@made(INSIDER)
def the_chain_is_forged(world: World) -> list[Finding]:
    """forges the statement of a run that says all hours of the year are judged and closed"""
    honest = world.s3.get_object(Bucket=world.provenance, Key=_statements(world)[-1])
    envelope = Envelope.parse(honest["Body"].read())
    now, end = datetime.now(UTC), datetime.now(UTC) + timedelta(days=365)
    statement = from_payload(envelope.payload)
    run = replace(statement.run, id="jr_forged", as_of=now)
    parts = {
        name: replace(part, version=replace(part.version, key=run.key_of(name)))
        for name, part in statement.parts.items()
    }
    forged = replace(
        statement,
        run=run,
        parts=parts,
        link=Link(Reached.nothing(end), statement.run.statement_key),
    )
    body = replace(envelope, payload=to_payload(forged)).to_json_line()
    with lifted(world, world.provenance) as s3:
        put = s3.put_object(Bucket=world.provenance, Key=run.statement_key, Body=body)
    return [
        Finding(
            "UNEXPECTED_PRINCIPAL",
            world.provenance,
            run.statement_key,
            put["VersionId"],
            world.arn(INSIDER),
        )
    ]


@made(INSIDER)
def the_chain_is_shortened(world: World) -> list[Finding]:
    """hides the statement of the last run, as if its hours were not judged"""
    key = _statements(world)[-1]
    marker = world.hide(world.provenance, key)
    return [Finding("REMOVED", world.provenance, key, marker, world.arn(INSIDER))]


def _cache(world: World) -> str:
    """The key of a Parquet file of checks that a run has named."""
    prefix = f"record_checks/dt={world.began:%Y-%m-%d}/"
    found = world.s3.list_objects_v2(Bucket=world.analytics, Prefix=prefix)
    return min(str(i["Key"]) for i in found["Contents"] if i["Key"].endswith(".parquet"))


@made(INSIDER)
def a_cache_that_is_no_parquet(world: World) -> list[Finding]:
    """puts an object that is no Parquet among the checks of records, as if a run had written it"""
    key = _cache(world)
    return _put(world, f"{key.rpartition('/')[0]}/part-planted.parquet")


@made(INSIDER)
def a_cache_is_overwritten(world: World) -> list[Finding]:
    """overwrites a file of the checks of records"""
    return _put(world, _cache(world))


@made(INSIDER)
def a_cache_is_put_in_again(world: World) -> list[Finding]:
    """puts a file of the checks of records among them once more, under a name that no run gave"""
    key = _cache(world)
    honest = world.s3.get_object(Bucket=world.analytics, Key=key)["Body"].read()
    return _put(world, f"{key.rpartition('/')[0]}/part-again.parquet", honest)


@made(INSIDER)
def a_cache_of_another_shape(world: World) -> list[Finding]:
    """puts rows of another shape among the checks of records, in a file that is good Parquet"""
    rows = world.s3.get_object(Bucket=world.analytics, Key=_newest_part(world))["Body"].read()
    return _put(world, f"{_cache(world).rpartition('/')[0]}/part-malformed.parquet", rows)


def _delete_caches(world: World) -> list[Finding]:
    prefix = f"record_checks/dt={world.began:%Y-%m-%d}/"
    listed = world.s3.list_objects_v2(Bucket=world.analytics, Prefix=prefix)["Contents"]
    keys = [str(item["Key"]) for item in listed if item["Key"].endswith(".parquet")]
    with lifted(world, world.analytics) as s3:
        markers = [s3.delete_object(Bucket=world.analytics, Key=key)["VersionId"] for key in keys]
    return [
        Finding("REMOVED", world.analytics, key, marker, world.arn(INSIDER))
        for key, marker in zip(keys, markers, strict=True)
    ]


def _definition(world: World, table: str) -> Finding:
    control = f"glue/table/{world.platform.settings['database']}/{table}"
    return Finding("CONTROL_CHANGED", CONTROL, control, "null", world.arn(INSIDER))


@made(INSIDER)
def the_verdicts_show_nothing(world: World) -> list[Finding]:
    """gives the table of the verdicts a projection onto an empty prefix"""
    glue, database = world.client("glue"), world.platform.settings["database"]
    table = glue.get_table(DatabaseName=database, Name="reconciliation")["Table"]
    kept = {name: table[name] for name in ("Name", "TableType", "PartitionKeys")}
    projection = {
        "projection.enabled": "true",
        "projection.dt.type": "enum",
        "projection.dt.values": f"{world.began:%Y-%m-%d}",
        "projection.hour.type": "enum",
        "projection.hour.values": "00",
        "storage.location.template": f"s3://{world.analytics}/nothing/${{dt}}/${{hour}}",
    }
    storage, parameters = table["StorageDescriptor"], table.get("Parameters", {})
    bent = {**kept, "StorageDescriptor": storage, "Parameters": {**parameters, **projection}}
    glue.update_table(DatabaseName=database, TableInput=bent)
    return [_definition(world, "reconciliation")]


@made(INSIDER)
def tables_are_dropped(world: World) -> Outcome:
    """drops the tables of the verdicts, of the reconciliation and of the audit"""
    glue, database = world.client("glue"), world.platform.settings["database"]
    for table in JOB_NAMES:
        glue.delete_table(DatabaseName=database, Name=table)
    return Outcome((), (), reconciled=tuple(_definition(world, table) for table in JOB_NAMES))


def _falsify_results(world: World) -> list[Finding]:
    """Overwrite whatever Athena hands out of every query so far."""
    bucket = world.platform.settings["athena_results_bucket"]
    pages = world.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [str(item["Key"]) for page in pages for item in page.get("Contents", [])]
    with lifted(world, bucket) as s3:
        put = {
            key: s3.put_object(Bucket=bucket, Key=key, Body=b'"n"\n"0"\n')["VersionId"]
            for key in keys
        }
    assert put, "nobody has asked anything"
    return [
        Finding("UNEXPECTED_PRINCIPAL", bucket, key, version, world.arn(INSIDER))
        for key, version in put.items()
    ]


@made(INSIDER)
def results_are_falsified(world: World) -> Outcome:
    """falsifies the result of every query before the audit"""
    return Outcome((), (), reconciled=tuple(_falsify_results(world)))


@made(INSIDER)
def nothing_is_left_to_read(world: World) -> list[Finding]:
    """drops every table, deletes every check of records, and falsifies the result of every query"""
    glue, database = world.client("glue"), world.platform.settings["database"]
    tables = [str(t["Name"]) for t in glue.get_tables(DatabaseName=database)["TableList"]]
    for table in tables:
        glue.delete_table(DatabaseName=database, Name=table)
    dropped = [_definition(world, table) for table in tables]
    return [*dropped, *_delete_caches(world), *_falsify_results(world)]


BEFORE_AN_AUDIT = [tables_are_dropped, results_are_falsified]
ATTACKS = [
    the_verdicts_show_nothing,
    a_cache_that_is_no_parquet,
    a_cache_of_another_shape,
    a_cache_is_put_in_again,
    a_cache_is_overwritten,
    verdicts_are_overwritten,
    verdicts_are_replaced_for_good,
    verdicts_are_invented,
    verdicts_are_turned_back,
    verdicts_are_hidden,
    the_chain_is_forged,
    the_chain_is_shortened,
    nothing_is_left_to_read,
]
