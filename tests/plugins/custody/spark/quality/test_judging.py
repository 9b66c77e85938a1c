"""A table of a run is judged before it is shown, and by nothing that others can edit."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrameReader
from tests.support.landing_zone import LINEAGE_KEY_ARN, PROVENANCE, MemoryKms, MemoryS3

from custody.aws.publications.building import Builders, built
from custody.aws.publications.comparing import NotComparable
from custody.aws.publications.keeping import latest, publish
from custody.core.datasets.contracts import Contract, contract_of
from custody.core.datasets.quality.results import parse, results_key
from custody.core.datasets.tables import Table, silver_tables
from custody.core.lineage.model import Material, Run, statement_key
from custody.core.publications.choosing import DayOfTable, NotBuilt
from custody.core.publications.model import Asked, Shown, Why
from custody.spark.glue_runs import ChangedOutputs, GlueRun, job_arn, record_lineage
from custody.spark.quality.judging import BrokenRules, Judge

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

PROCESSED, ANALYTICS = "custody-test-processed", "custody-test-analytics"
RETURNS = Path(__file__).parents[4] / "datasets" / "returns" / "returns.odcs.yaml"
WEEK_AGO, DAY = date(2026, 11, 15), date(2026, 11, 22)
MATERIALS = (
    Material("script", "aa" * 32),
    Material("contract", "bb" * 32, version="1.0.0"),
)
USUAL = """\
    quality:
      - name: usual
        type: custom
        engine: custody
        unit: percent
        implementation: {rule: rowCountOfWeekday, weeks: 2, mustBeBetween: [50, 200]}
"""
KNOWN = """\
        relationships:
          - to: customers.odcs.yaml#/schema/customers/properties/customer_id
        quality:
          - name: known
            type: custom
            engine: custody
            implementation: {rule: unresolvedReferences, days: 1, mustBe: 0}
"""


def contract(*, table: str = "", customer: str = "") -> Contract:
    """That of the returns, with rules."""
    body = RETURNS.read_text("utf-8")
    body = body.replace(
        "    customProperties:\n      - property: dedup",
        f"{table}    customProperties:\n      - property: dedup",
    )
    body = body.replace(
        "      - name: status\n        description: How far the return is",
        f"{customer}      - name: status\n        description: How far the return is",
    )
    return contract_of(body, "returns.odcs.yaml")


@dataclass
class World:
    """Buckets in memory, whose tables Spark reads from a folder."""

    spark: Any
    folder: Path
    s3: MemoryS3
    kms: MemoryKms
    former: str = ""

    def write(self, dataset: str, day: date, run: str, rows: list[str]) -> str:
        """Silver of a run, with a column that is called as its key; returns its location."""
        place = f"silver/{dataset}/dt={day}/run={run}/"
        key = "return_id" if dataset == "returns" else "customer_id"
        frame = self.spark.createDataFrame([(row, row) for row in rows], f"{key} string, x string")
        if dataset == "returns":
            frame = frame.withColumnRenamed("x", "customer_id")
        frame.coalesce(1).write.parquet(str(self.folder / place))
        (part,) = (self.folder / place).glob("part-*.parquet")
        self.s3.put(PROCESSED, place + part.name, part.read_bytes(), "o1")
        return f"s3://{PROCESSED}/{place}"

    def run(self, dataset: str, day: date, run: str, job: str = "silver-job") -> GlueRun:
        parameters = {
            "dataset": dataset,
            "dt": str(day),
            "provenance_bucket": PROVENANCE,
            "processed_bucket": PROCESSED,
            "analytics_bucket": ANALYTICS,
            "lineage_key_arn": LINEAGE_KEY_ARN,
            "former_lineage_keys": json.dumps({"former_lineage_keys": self.former}),
        }
        at = datetime(2026, 11, 23, tzinfo=UTC)
        return GlueRun(job, run, parameters, at, MATERIALS)

    def build(
        self, of: Contract, day: date, run: str, rows: list[str], job: str = "silver-job"
    ) -> None:
        """What a run of the job does once it has rows: writes, judges, states its lineage."""
        this = self.run(of.dataset, day, run, job)
        location = self.write(of.dataset, day, run, rows)
        s3 = self.s3
        *_, table = silver_tables(of)
        judge = Judge(self.spark, this, of, lambda: s3, self.kms)  # type: ignore[arg-type,return-value]
        judged = judge.judge({table: location})
        self.state(this, [location, *judged])

    def state(self, this: GlueRun, locations: list[str]) -> None:
        s3 = self.s3
        record_lineage(
            self.spark,
            this,
            inputs=[],
            locations=locations,
            s3_client=lambda: s3,  # type: ignore[arg-type,return-value]
            kms=self.kms,  # type: ignore[arg-type]
        )

    def publish(self, dataset: str, day: date, run: str, location: str = "") -> None:
        table = f"silver_{dataset}"
        place = location or f"s3://{PROCESSED}/silver/{dataset}/dt={day}/run={run}/"
        publish(
            self.s3,  # type: ignore[arg-type]
            ANALYTICS,
            dataset,
            str(day),
            why=Why.BUILD,
            asked=Asked("a", 0, None, None),
            shown=[Shown(table, run, place)],
        )

    def results(self, day: date, run: str) -> dict[str, tuple[str, str | None]]:
        key = results_key(str(day), run, "silver_returns")
        _, body = self.s3.objects[ANALYTICS, key][-1]
        return {result.rule: (result.outcome, result.found) for result in parse(body, key)}


@pytest.fixture
def world(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    parquet: Callable[..., Any] = DataFrameReader.parquet

    def local(reader: DataFrameReader, place: str) -> Any:
        return parquet(reader, place.replace(f"s3://{PROCESSED}", str(tmp_path)))

    monkeypatch.setattr(DataFrameReader, "parquet", local)
    return World(spark, tmp_path, MemoryS3(), MemoryKms())


ROWS = [f"O{n}" for n in range(4)]


def test_a_table_without_rules_costs_nothing(world: World) -> None:
    *_, table = silver_tables(contract())
    never = Judge(None, world.run("returns", DAY, "jr_1"), contract(), None, None)  # type: ignore[arg-type]
    assert never.judge({table: "s3://nowhere/"}) == []


def test_a_day_is_compared_with_what_is_published_of_the_weeks_before(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    of = contract(table=USUAL)
    world.build(of, WEEK_AGO, "jr_1", ROWS)
    assert world.results(WEEK_AGO, "jr_1") == {"usual": ("skipped", None)}
    world.publish("returns", WEEK_AGO, "jr_1")
    world.build(of, WEEK_AGO, "jr_unpublished", ROWS * 100)

    with caplog.at_level(logging.INFO):
        world.build(of, DAY, "jr_2", ROWS[:2])
    assert world.results(DAY, "jr_2") == {"usual": ("passed", "50")}
    assert "compared with 4 of 2026-11-15" in caplog.text

    with pytest.raises(
        BrokenRules,
        match=r"silver_returns, usual: expected from 50 to 200 percent.*"
        r", found 25 percent; see s3://custody-test-analytics/quality/results/",
    ):
        world.build(of, DAY, "jr_3", ROWS[:1])
    assert world.results(DAY, "jr_3") == {"usual": ("failed", "25")}


def test_a_day_that_breaks_an_error_leaves_the_last_good_one_in_view(world: World) -> None:
    """The run states nothing, and what states nothing cannot be shown, whoever asks."""
    of = contract(table="    quality: [{name: enough, metric: rowCount, mustBeGreaterThan: 2}]\n")
    world.build(of, DAY, "jr_good", ROWS)
    with pytest.raises(BrokenRules, match="1 rules are broken: silver_returns, enough: expected"):
        world.build(of, DAY, "jr_bad", ROWS[:1])

    builders = Builders(
        LINEAGE_KEY_ARN, "", PROVENANCE, job_arn(LINEAGE_KEY_ARN, "silver-job"), "gold"
    )
    day = DayOfTable("silver_returns", f"s3://{PROCESSED}/silver/returns/dt={DAY}/")

    def shown(run: str) -> list[str]:
        asked = Run(str(DAY), run)
        runs = built(world.s3, world.kms, builders, "returns", "1.0.0", asked, [day])  # type: ignore[arg-type]
        return [one.run for one in runs]

    world.s3.head_object = lambda **of: {
        "VersionId": world.s3.objects[of["Bucket"], of["Key"]][-1][0]
    }  # type: ignore[method-assign]
    assert shown("jr_good") == ["jr_good"]
    with pytest.raises(NotBuilt, match="run jr_bad of 2026-11-22 has no statement"):
        shown("jr_bad")

    world.publish("returns", DAY, "jr_good")
    counts = latest(world.s3, ANALYTICS, "returns", str(DAY))  # type: ignore[arg-type]
    assert counts is not None
    assert [one.run for one in counts.shown] == ["jr_good"]

    key = results_key(str(DAY), "jr_good", "silver_returns")
    world.s3.put(ANALYTICS, key, b"edited", "x1")
    with pytest.raises(NotBuilt, match="is not what lies there now"):
        shown("jr_good")


def test_a_warning_is_told_and_published(world: World, caplog: pytest.LogCaptureFixture) -> None:
    of = contract(
        table="    quality: [{name: enough, metric: rowCount, mustBe: 9, severity: warning}]\n"
    )
    world.build(of, DAY, "jr_1", ROWS)
    assert world.results(DAY, "jr_1") == {"enough": ("warned", "4")}
    (warning,) = [line.message for line in caplog.records if line.levelno == logging.WARNING]
    assert warning == "silver_returns, enough: expected 9 rows, found 4 rows"
    assert statement_key(Run(str(DAY), "jr_1")) in {key for _, key in world.s3.objects}


@pytest.fixture
def week(world: World) -> World:
    """With a week before that is as it should be."""
    world.build(contract(table=USUAL), WEEK_AGO, "jr_1", ROWS)
    world.publish("returns", WEEK_AGO, "jr_1")
    return world


KEY = results_key(str(WEEK_AGO), "jr_1", "silver_returns")


def forged(world: World, rows: int) -> bytes:
    line = json.loads(world.s3.objects[ANALYTICS, KEY][0][1])
    return json.dumps(line | {"row_count": rows}).encode() + b"\n"


class Renewed(MemoryKms):
    """A KMS whose key of lineage was replaced: the former one verifies still."""

    def __init__(self, former: MemoryKms) -> None:
        super().__init__()
        self.former = former

    def get_public_key(self, *, KeyId: str) -> dict[str, bytes]:  # noqa: N803
        if KeyId == FORMER:
            return self.former.get_public_key(KeyId=LINEAGE_KEY_ARN)
        return super().get_public_key(KeyId=KeyId)


FORMER = LINEAGE_KEY_ARN.replace("0002", "0001")


def test_a_week_that_a_former_key_signed_is_compared_with(week: World) -> None:
    """The statement names the key as it was called then; which of the two holds is what counts."""
    ((_, body),) = week.s3.objects[PROVENANCE, statement_key(Run(str(WEEK_AGO), "jr_1"))]
    renamed = body.replace(LINEAGE_KEY_ARN.encode(), FORMER.encode())
    week.s3.objects[PROVENANCE, statement_key(Run(str(WEEK_AGO), "jr_1"))] = [("p1", renamed)]
    week.kms = Renewed(week.kms)
    with pytest.raises(NotComparable):
        week.build(contract(table=USUAL), DAY, "jr_2", ROWS)
    week.former = FORMER
    week.build(contract(table=USUAL), DAY, "jr_3", ROWS)
    assert week.results(DAY, "jr_3") == {"usual": ("passed", "100")}


def test_edited_results_of_a_week_before_change_nothing(week: World) -> None:
    """Somebody has one row published as if that were usual: he edits the table of results."""
    week.s3.put(ANALYTICS, KEY, forged(week, 1), "x1")
    with pytest.raises(BrokenRules, match="found 25 percent"):
        week.build(contract(table=USUAL), DAY, "jr_2", ROWS[:1])


def test_results_with_other_bytes_than_were_signed_are_not_compared_with(week: World) -> None:
    week.s3.objects[ANALYTICS, KEY] = [("p1", forged(week, 1))]
    with pytest.raises(NotComparable, match="has other bytes than it signed"):
        week.build(contract(table=USUAL), DAY, "jr_2", ROWS[:1])


def test_results_that_are_gone_stop_the_run(week: World) -> None:
    del week.s3.objects[ANALYTICS, KEY]
    with pytest.raises(
        NotComparable, match=r"silver_returns of 2026-11-15, .*build that day again"
    ):
        week.build(contract(table=USUAL), DAY, "jr_2", ROWS[:1])


def test_a_publication_of_what_no_run_signed_stops_the_run(week: World) -> None:
    """A publication is planted that shows a run with as few rows."""
    week.publish("returns", WEEK_AGO, "jr_forged")
    forged_key = KEY.replace("jr_1", "jr_forged")
    week.s3.put(ANALYTICS, forged_key, forged(week, 1).replace(b"jr_1", b"jr_forged"), "x1")
    with pytest.raises(NotComparable, match="run jr_forged of 2026-11-15 has no statement"):
        week.build(contract(table=USUAL), DAY, "jr_2", ROWS[:1])

    week.build(contract(table=USUAL), WEEK_AGO, "jr_other", ROWS, job="another-job")
    week.publish("returns", WEEK_AGO, "jr_other")
    with pytest.raises(NotComparable, match="job/another-job, whose lineage is not trusted"):
        week.build(contract(table=USUAL), DAY, "jr_3", ROWS[:1])


CUSTOMERS = replace(contract(), dataset="customers")


def customers(world: World, day: date, run: str, ids: list[str]) -> None:
    location = world.write("customers", day, run, ids)
    world.state(world.run("customers", day, run), [location])
    world.publish("customers", day, run)


def test_references_are_looked_for_in_what_is_published(world: World) -> None:
    of = contract(customer=KNOWN)
    with pytest.raises(BrokenRules, match=r"customer_id\.known: expected 0 rows, found 4 rows"):
        world.build(of, DAY, "jr_1", ROWS)

    customers(world, date(2026, 11, 20), "jr_old", ROWS)  # a day too early
    customers(world, date(2026, 11, 21), "jr_c", ROWS[:2])
    with pytest.raises(BrokenRules, match="found 2 rows"):
        world.build(of, DAY, "jr_2", ROWS)
    customers(world, DAY, "jr_d", ROWS[1:])
    world.build(of, DAY, "jr_3", ROWS)
    assert world.results(DAY, "jr_3") == {"customer_id.known": ("passed", "0")}


def test_references_to_what_was_changed_since_stop_the_run(world: World) -> None:
    customers(world, DAY, "jr_c", ROWS)
    added = f"silver/customers/dt={DAY}/run=jr_c/part-9.parquet"
    world.s3.put(PROCESSED, added, b"forged", "x1")
    with pytest.raises(ChangedOutputs, match=f"{added} .*is there, unstated"):
        world.build(contract(customer=KNOWN), DAY, "jr_1", ROWS)


def test_a_publication_leads_to_no_place_of_others(world: World) -> None:
    customers(world, DAY, "jr_c", ROWS)
    elsewhere = f"s3://elsewhere/silver/customers/dt={DAY}/run=jr_c/"
    world.publish("customers", DAY, "jr_c", elsewhere)
    with pytest.raises(NotComparable, match=r"s3://elsewhere/.*, where no run of it writes"):
        world.build(contract(customer=KNOWN), DAY, "jr_1", ROWS)


def test_all_tables_of_a_run_are_judged_before_it_stops(world: World) -> None:
    of = contract(table="    quality: [{name: none, metric: rowCount, mustBe: 0}]\n")
    *_, table = silver_tables(of)
    location = world.write("returns", DAY, "jr_1", ROWS)
    other = Table(table.bucket, "silver/other", table.columns, "", table.rules)
    s3 = world.s3
    judge = Judge(world.spark, world.run("returns", DAY, "jr_1"), of, lambda: s3, world.kms)  # type: ignore[arg-type,return-value]
    with pytest.raises(
        BrokenRules, match=r"2 rules are broken: silver_returns, none: .*; silver_other"
    ):
        judge.judge({table: location, other: location})
    names = {key.rpartition("/")[2] for bucket, key in s3.objects if bucket == ANALYTICS}
    assert names == {"silver_returns.json", "silver_other.json"}
