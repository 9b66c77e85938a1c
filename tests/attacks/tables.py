"""Attacks on the ledger's own tables. They need a reconciliation whose verdicts they falsify."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.attacks.attack import Finding, made
from tests.attacks.world import INSIDER, World, lifted

from custody.aws.catalog import Pointer, point_partitions
from custody.core.ledger.chain import Reached
from custody.core.ledger.links import CHAIN_PREFIX, Link
from custody.core.ledger.rows import CATALOG


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


@made(INSIDER)
def the_chain_is_forged(world: World) -> list[Finding]:
    """adds a link to the chain of runs that says all hours of the year are judged and closed"""
    now = datetime.now(UTC)
    end = (now + timedelta(days=365)).replace(minute=0, second=0, microsecond=0)
    link = Link("jr_forged", now, now, end, Reached.nothing(end), None)
    return _put(world, link.key, link.to_text().encode() + b"\n\xe2\x80\x94 seal AAAA\n")


@made(INSIDER)
def the_chain_is_shortened(world: World) -> list[Finding]:
    """hides the last link of the chain of runs, as if its hours were not judged"""
    links = world.s3.list_objects_v2(Bucket=world.analytics, Prefix=CHAIN_PREFIX)["Contents"]
    key = max(str(link["Key"]) for link in links)
    marker = world.hide(world.analytics, key)
    return [Finding("REMOVED", world.analytics, key, marker, world.arn(INSIDER))]


ATTACKS = [
    verdicts_are_overwritten,
    verdicts_are_replaced_for_good,
    verdicts_are_invented,
    verdicts_are_turned_back,
    verdicts_are_hidden,
    the_chain_is_forged,
    the_chain_is_shortened,
]
