"""What OpenLineage is told of a run: what the run signed, in events that follow the schemas."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
from jsonschema import ValidationError
from moto import mock_aws
from openlineage.client import OpenLineageClient
from tests.support import publications
from tests.support.contracts import FOLDER
from tests.support.moto_aws import REGION, make_bucket, signing_kms
from tests.support.openlineage_events import check_event

from custody.core.datasets.contracts import contract_of
from custody.core.lineage.model import HashedObject, Material
from custody.core.lineage.trust import BadLineage, NoLineage
from custody.objects import ObjectVersion
from custody.tasks.lineage import files as events_files
from custody.tasks.lineage import jobs
from custody.tasks.lineage.datasets import outputs

INCLUDE = FOLDER.parent
GOLD = "customers_by_country_month"
EVENTS = "custody-test-athena-results"
RAW = "s3://custody-dev-raw-111122223333"
PROCESSED, ANALYTICS = (f"s3://{name}" for name in (publications.PROCESSED, publications.ANALYTICS))
FACETS = {
    "ColumnLineageDatasetFacet",
    "DatasetVersionDatasetFacet",
    "InputSubsetInputDatasetFacet",
    "ObjectsDatasetFacet",
    "OutputSubsetOutputDatasetFacet",
    "SchemaDatasetFacet",
    "SignedLineageRunFacet",
    "SymlinksDatasetFacet",
}
CATALOG = "arn:aws:glue:us-east-1:111122223333"


@pytest.fixture
def s3(monkeypatch):
    with mock_aws():
        made = boto3.client("s3", region_name=REGION)
        for name in (publications.PROCESSED, publications.ANALYTICS, publications.PROVENANCE):
            make_bucket(made, name)
        make_bucket(made, EVENTS)
        clients = {"s3": made, "kms": signing_kms()}
        monkeypatch.setattr(jobs, "client", clients.__getitem__)
        monkeypatch.setattr(events_files, "client", clients.__getitem__)
        yield made


def material(name, file):
    return Material(name, hashlib.sha256(Path(INCLUDE, file).read_bytes()).hexdigest())


CONTRACT = material("contract", "contracts/customers.odcs.yaml")
QUERY = material("gold_sql", f"sql/gold/{GOLD}.sql")


def built_silver(s3, *materials):
    lineage = publications.silver_lineage("jr_1")
    return publications.build(s3, replace(lineage, materials=materials))


def built_gold(s3, silver):
    """A run of gold of the real query, from a run of silver."""
    place = f"gold/{GOLD}/dt={publications.DAY}/run=g_1/part-0.parquet"
    lineage = replace(
        publications.gold_lineage("g_1", "jr_1"),
        materials=(CONTRACT, QUERY),
        inputs=tuple(one for one in silver.outputs if one.version.key.startswith("silver/")),
        outputs=(HashedObject(ObjectVersion(publications.ANALYTICS, place, "v"), "c3" * 32),),
    )
    return publications.build(s3, lineage)


def job(builder, run_id, **arguments):
    """The task as it is when its run has succeeded."""
    by = publications.BUILDERS
    task = jobs.TableJob(
        task_id="build",
        job_name="a-job",
        include=str(INCLUDE),
        stated={
            "key_arn": by.key_arn,
            "former_keys": by.former_keys,
            "provenance_bucket": by.provenance_bucket,
            "job": getattr(by, builder),
            "database": "custody_test",
        },
        script_args={"--dataset": "customers", "--dt": publications.DAY, **arguments},
    )
    assert task.execute_complete({}, {"status": "success", "run_id": run_id}) == run_id
    return task


def emitted(s3, task):
    """The event that the provider sends when the task has ended, as it lies in the bucket."""
    transport = {
        "type": "file",
        "log_file_path": f"s3://{EVENTS}/openlineage/event",
        "filesystem": "custody.tasks.lineage.files.Bucket",
    }
    now = datetime(2026, 11, 2, tzinfo=UTC).isoformat()
    OpenLineageAdapter(OpenLineageClient(config={"transport": transport})).complete_task(
        run_id="01936c4e-0000-7000-8000-000000000000",
        job_name="medallion_customers.build",
        end_time=now,
        task=task.get_openlineage_facets_on_complete(None),
        nominal_start_time=now,
        nominal_end_time=now,
        owners=["data-platform"],
        tags=["pii"],
        job_description="Build a day",
    )
    (stored,) = s3.list_objects_v2(Bucket=EVENTS, Prefix="openlineage/")["Contents"]
    event = json.loads(s3.get_object(Bucket=EVENTS, Key=stored["Key"])["Body"].read())
    s3.delete_object(Bucket=EVENTS, Key=stored["Key"])
    return event


def by_name(datasets):
    return {(one["namespace"], one["name"]): one for one in datasets}


def columns(dataset):
    return {
        made: [
            (field["namespace"], field["name"], field["field"]) for field in made_of["inputFields"]
        ]
        for made, made_of in dataset["facets"]["columnLineage"]["fields"].items()
    }


def test_events_say_what_the_runs_signed_and_name_the_statements(s3):
    silver = built_silver(s3, CONTRACT)
    built_gold(s3, silver)
    first = emitted(s3, job("silver_job", "jr_1"))
    second = emitted(s3, job("gold_job", "g_1", **{"--gold_table": GOLD}))

    for event in (first, second):
        assert check_event(event) >= FACETS
        (named,) = event["run"]["facets"]["custody_signedLineage"]["statements"]
        bucket, _, key = named["uri"].removeprefix("s3://").partition("/")
        held = s3.get_object(Bucket=bucket, Key=key, VersionId=named["versionId"])["Body"].read()
        assert key.startswith("provenance/lineage/dt=2026-11-01/")
        assert named["sha256"] == hashlib.sha256(held).hexdigest()

    (landed,) = first["inputs"]
    made = by_name(first["outputs"])
    assert (landed["namespace"], landed["name"]) == (RAW, "incoming/customers")
    assert made.keys() == {(PROCESSED, "files/customers"), (PROCESSED, "silver/customers")}
    (read,) = second["inputs"]
    written = made[PROCESSED, "silver/customers"]
    assert (read["namespace"], read["name"]) == (PROCESSED, "silver/customers")
    # What gold read is the very version that silver wrote.
    assert read["facets"]["version"] == written["facets"]["version"]
    assert read["facets"]["version"] != landed["facets"]["version"]
    (held,) = landed["facets"]["custody_objects"]["objects"]
    assert held["uri"] == f"{RAW}/incoming/customers/dt=2026-11-01/é +%.csv"
    assert (held["versionId"], held["sha256"]) == ("rV1", "b1" * 32)
    (gold,) = second["outputs"]
    subset = gold["outputFacets"]["subset"]["outputCondition"]
    assert subset["partitions"] == [{"dimensions": {"dt": "2026-11-01"}}]
    assert gold["facets"]["symlinks"]["identifiers"] == [
        {"namespace": CATALOG, "name": f"table/custody_test/gold_{GOLD}", "type": "TABLE"}
    ]


def test_events_say_from_which_column_each_column_is_made(s3):
    silver = built_silver(s3, CONTRACT)
    built_gold(s3, silver)
    first = emitted(s3, job("silver_job", "jr_1"))
    (gold,) = emitted(s3, job("gold_job", "g_1", **{"--gold_table": GOLD}))["outputs"]
    silver_event = by_name(first["outputs"])[PROCESSED, "silver/customers"]

    email = (RAW, "incoming/customers", "email")
    assert columns(silver_event)["email"] == [email]
    fields = silver_event["facets"]["columnLineage"]["fields"]
    masked = {
        name for name in fields if fields[name]["inputFields"][0]["transformations"][0]["masking"]
    }
    assert masked == {"first_name", "last_name", "email"}
    signup = (PROCESSED, "silver/customers", "signup_date")
    assert columns(gold)["signup_month"] == [signup]
    assert columns(gold).keys() <= {one["name"] for one in gold["facets"]["schema"]["fields"]}
    kinds = {one["name"]: one.get("type") for one in silver_event["facets"]["schema"]["fields"]}
    assert kinds["total_spent_usd"] == "decimal(12,2)"
    assert kinds["_source_version_id"] == "string"


def test_a_contract_that_the_run_did_not_build_by_describes_nothing(s3):
    built_silver(s3, replace(CONTRACT, sha256="0" * 64))
    event = emitted(s3, job("silver_job", "jr_1"))
    check_event(event)
    assert len(event["outputs"]) == 2
    for dataset in (*event["inputs"], *event["outputs"]):
        assert dataset["facets"].keys() == {"version", "custody_objects"}


def test_a_thousand_files_are_counted_and_the_first_of_them_named(s3):
    lineage = publications.silver_lineage("jr_1")
    landed = [
        replace(one, version=replace(one.version, key=f"incoming/customers/dt=2026-11-01/{n:04}"))
        for one in lineage.inputs
        for n in range(1000)
    ]
    publications.build(s3, replace(lineage, inputs=tuple(landed)))
    event = emitted(s3, job("silver_job", "jr_1"))
    check_event(event)
    (held,) = (one["facets"]["custody_objects"] for one in event["inputs"])
    assert held["count"] == 1000
    assert [one["uri"][-4:] for one in held["objects"]] == [f"{n:04}" for n in range(100)]


def test_nothing_is_told_of_a_run_that_stated_nothing_to_be_believed(s3):
    task = job("silver_job", "jr_1")
    with pytest.raises(NoLineage):
        task.get_openlineage_facets_on_complete(None)
    built_silver(s3)
    task.stated["job"] = publications.BUILDERS.gold_job
    with pytest.raises(BadLineage):
        task.get_openlineage_facets_on_complete(None)
    task.succeeded = None
    told = task.get_openlineage_facets_on_complete(None)
    assert (told.inputs, told.outputs, told.run_facets) == ([], [], {})


def test_an_event_that_follows_no_schema_is_found(s3):
    built_silver(s3)
    event = emitted(s3, job("silver_job", "jr_1"))
    del event["run"]["facets"]["custody_signedLineage"]["statements"]
    with pytest.raises(ValidationError):
        check_event(event)


def test_an_event_is_written_whole(s3):
    with pytest.raises(ValueError, match="whole"):
        events_files.Bucket().open(f"s3://{EVENTS}/openlineage/event", "a")


def test_columns_of_items_are_made_from_those_of_an_array():
    contract = contract_of((FOLDER / "orders.odcs.yaml").read_text("utf-8"), "orders")
    query = Path(INCLUDE, "sql/gold/orders_by_product.sql").read_text("utf-8")

    def objects(bucket, *folders):
        place = f"dt={publications.DAY}/run=jr_1/part-0.parquet"
        return tuple(
            HashedObject(ObjectVersion(bucket, f"{folder}/{place}", "v"), "d1" * 32)
            for folder in folders
        )

    landed = objects("raw", "incoming/orders")
    silver = objects("processed", "silver/orders", "silver/orders_lines")
    gold = objects("analytics", "gold/orders_by_product")
    made = replace(publications.silver_lineage("jr_1"), inputs=landed, outputs=silver)
    (_, items) = outputs(made, (contract, None), "db")
    sources = {
        name: [(one.name, one.field) for one in fields.inputFields]
        for name, fields in items.facets["columnLineage"].fields.items()
    }
    assert sources["order_id"] == [("incoming/orders", "order_id")]
    assert sources["quantity"] == [("incoming/orders", "lines.quantity")]

    made = replace(publications.gold_lineage("g_1", "jr_1"), inputs=silver, outputs=gold)
    (by_product,) = outputs(made, (contract, query), "db")
    fields = by_product.facets["columnLineage"].fields
    assert [(one.name, one.field) for one in fields["amount_usd"].inputFields] == [
        ("silver/orders_lines", "quantity"),
        ("silver/orders_lines", "unit_price_usd"),
    ]
    assert [(one.name, one.field) for one in fields["orders"].inputFields] == [
        ("silver/orders", "order_id")
    ]
