"""The job on local Spark: every landed row has exactly one outcome, whatever the file holds."""

from __future__ import annotations

import hmac
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.customers import BROKEN_FILES, DT, HEADER, PREFIX, csv, good
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone, token_keys

from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import Contract
from custody.core.datasets.landed import parts
from custody.core.lineage.account import ACCOUNT_NAME, DayAccount
from custody.objects import ObjectVersion
from custody.spark.local_rows import fetched
from custody.spark.silver import job, outcomes, shares
from custody.spark.silver.accounts import FileAccount, Totals
from custody.spark.silver.outcomes import account

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def zone() -> LandingZone:
    return LandingZone()


class Outcome:
    """What a run wrote."""

    def __init__(self, spark: Any, directory: Path) -> None:
        self._spark, self._directory = spark, directory

    def rows(self, area: str) -> list[dict[str, Any]]:
        found = self._spark.read.parquet(str(self._directory / area)).collect()
        return [row.asDict() for row in found]

    def place(self, area: str) -> Path:
        return self._directory / area

    @property
    def silver(self) -> list[dict[str, Any]]:
        return sorted(self.rows("silver"), key=lambda row: row["customer_id"])

    @property
    def quarantine(self) -> list[dict[str, Any]]:
        return sorted(
            self.rows("quarantine"), key=lambda row: (row["source_key"], row["source_line"] or 0)
        )

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        return {row["source_key"].removeprefix(PREFIX): row for row in self.rows("files")}

    def reasons(self) -> list[list[str]]:
        return [row["reasons"] for row in self.quarantine]


@pytest.fixture
def build(
    spark: Any, contract: Contract, zone: LandingZone, tmp_path: Path
) -> Callable[..., Outcome]:
    """Run the job over the zone. By default any share of the rows may be rejected, and nothing is
    personal data."""
    plain = tuple(replace(column, classification="internal") for column in contract.columns)

    any_time = tuple(
        replace(column, minimum=None) if column.name == "signup_date" else column
        for column in plain
    )

    def build(
        max_rejected_share: str = "1", *, personal: bool = False, long_ago: bool = False
    ) -> Outcome:
        settings = job.SilverRun("customers", DT, "jr_1", RAW, PROVENANCE, "processed")
        s3 = zone.s3
        lenient = replace(
            contract,
            max_rejected_share=Decimal(max_rejected_share),
            columns=contract.columns if personal else any_time if long_ago else plain,
        )
        job.run(
            spark,
            settings,
            lenient,
            Gate(PROVENANCE, zone.keys),
            lambda: s3,  # type: ignore[arg-type,return-value]
            lambda area: str(tmp_path / area),
            token_keys(lenient),
        )
        return Outcome(spark, tmp_path)

    return build


def test_no_row_stops_a_day_by_a_time_that_is_long_ago(
    zone: LandingZone, build: Callable[..., Outcome]
) -> None:
    """Before the calendar of today, and before 1900, Spark by itself writes none."""
    first = good(1, signup_date="0001-01-02", last_login="0001-01-02T03:04:05Z")
    other = good(2, signup_date="1582-10-10", last_login="1899-12-31T23:59:59Z")
    zone.land(PREFIX + "a.csv", csv(first, other))

    assert [(row["signup_date"], row["last_login"]) for row in build(long_ago=True).silver] == [
        (date(1, 1, 2), datetime(1, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - Spark gives naive UTC
        (date(1582, 10, 10), datetime(1899, 12, 31, 23, 59, 59)),  # noqa: DTZ001
    ]


def test_a_good_row_arrives_typed_and_says_where_it_came_from(
    zone: LandingZone, build: Callable[..., Outcome]
) -> None:
    zone.land(PREFIX + "a b+ü%.csv", csv(good()), version_id="3HL4kqtJlcpXroDTDmJ")

    outcome = build()

    assert outcome.silver == [
        {
            "customer_id": "C000000001",
            "first_name": "Zoë",
            "last_name": "O'Brien",
            "email": "zoe@shop.example",
            "country": "NL",
            "signup_date": date(2024, 5, 17),
            "last_login": datetime(2026, 10, 31, 17, 5, 9),  # noqa: DTZ001 - Spark gives naive UTC
            "total_orders": 12,
            "total_spent_usd": Decimal("1034.50"),
            "is_premium": True,
            "_source_key": PREFIX + "a b+ü%.csv",
            "_source_version_id": "3HL4kqtJlcpXroDTDmJ",
            "_source_line": 2,
        }
    ]
    assert outcome.quarantine == []


def test_malformed_lines_do_not_touch_their_neighbours(
    zone: LandingZone, build: Callable[..., Outcome]
) -> None:
    bad = [
        good(2) + ",more",
        "C000000003,too,few",
        good(4, first_name='"Zoë'),
        good(5, first_name='Z"oë'),
        good(6, first_name='"Zo"ë'),
        "",
        good(7, first_name="x" * 70_000),
    ]
    zone.land(PREFIX + "a.csv", csv(good(1), *bad, good(8, first_name='"Zoë, ""the"" one"')))

    outcome = build()

    assert [row["first_name"] for row in outcome.silver] == ["Zoë", 'Zoë, "the" one']
    assert outcome.reasons() == [["row.malformed"]] * len(bad)
    assert [row["source_line"] for row in outcome.quarantine] == [3, 4, 5, 6, 7, 8, 9]
    assert [row["raw_line"] for row in outcome.quarantine[:-1]] == bad[:-1]
    assert bad[-1].startswith(outcome.quarantine[-1]["raw_line"])
    assert [row["_source_line"] for row in outcome.silver] == [2, 10]


def test_the_latest_of_the_duplicates_stays_whichever_file_it_is_in(
    zone: LandingZone, build: Callable[..., Outcome]
) -> None:
    never, early, late = "", "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"
    zone.land(
        PREFIX + "a.csv",
        csv(good(1, last_login=early), good(1, last_login=never), good(2, last_login=never)),
    )
    zone.land(
        PREFIX + "b.csv",
        csv(good(1, last_login=late), good(2, last_login=never), good(3), good(3, email="bad")),
    )

    outcome = build()

    kept = [
        (row["customer_id"][-1], row["_source_key"][-5], row["_source_line"])
        for row in outcome.silver
    ]
    assert kept == [("1", "b", 2), ("2", "a", 4), ("3", "b", 4)]
    counts = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")
    assert [outcome.files["a.csv"][name] for name in counts] == [3, 1, 2, 0]
    assert [outcome.files["b.csv"][name] for name in counts] == [4, 2, 1, 1]


def test_broken_files_are_quarantined_whole_and_the_others_go_on(
    zone: LandingZone, build: Callable[..., Outcome], caplog: pytest.LogCaptureFixture
) -> None:
    for name, (body, _) in BROKEN_FILES.items():
        zone.land(PREFIX + name, body)
    zone.land(PREFIX + "good.csv", csv(good()))

    with caplog.at_level(logging.ERROR):
        outcome = build()

    assert len(outcome.silver) == 1
    assert outcome.files["good.csv"]["file_reason"] is None
    rows = {row["source_key"].removeprefix(PREFIX): row for row in outcome.quarantine}
    assert rows.keys() == BROKEN_FILES.keys()
    for name, (body, code) in BROKEN_FILES.items():
        assert (rows[name]["source_line"], rows[name]["reasons"]) == (None, [code])
        broken = outcome.files[name]
        assert broken["file_reason"].startswith(f"{code}: ")
        assert (broken["landed_rows"], broken["quarantined_rows"]) == (0, 0)
        assert broken["size_bytes"] == len(body)
        assert f"{PREFIX}{name} (version v1): {code}: " in caplog.text


class _Put:
    """S3, of which one object is kept."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def put_object(self, **given: Any) -> None:
        self.given = given


def test_the_account_of_the_day_says_why_what_is_in_quarantine(
    zone: LandingZone, build: Callable[..., Outcome], spark: Any, tmp_path: Path
) -> None:
    zone.land(PREFIX + "good.csv", csv(good(), "bad", "worse"))
    for name, (body, _) in BROKEN_FILES.items():
        zone.land(PREFIX + name, body)
    outcome = build()
    reasons = job.reasons_in(spark, str(outcome.place("quarantine")))
    told = Counter(reason for each in outcome.reasons() for reason in each)
    assert reasons == told
    assert len(told) > 2
    s3, account = _Put(), Totals.of(files_of(outcome)).with_reasons(reasons)
    job.keep_account(s3, "s3://processed/files/customers/dt=d/run=r/", account)  # type: ignore[arg-type]
    assert s3.given["Key"] == "files/customers/dt=d/run=r/_account.json"
    kept = DayAccount.parse(s3.given["Body"])
    assert kept == account
    assert (kept.is_balanced, kept.broken_files) == (True, len(BROKEN_FILES))
    # No reader of the table takes it for rows.
    (outcome.place("files") / ACCOUNT_NAME).write_bytes(s3.given["Body"])
    assert len(outcome.files) == 1 + len(BROKEN_FILES)


def files_of(outcome: Outcome) -> list[FileAccount]:
    return [FileAccount(**row) for row in outcome.rows("files")]


def test_only_bytes_in_custody_are_read(zone: LandingZone, build: Callable[..., Outcome]) -> None:
    zone.land(PREFIX + "good.csv", csv(good()))
    zone.land(PREFIX + "unrecorded.csv", csv(good(2)), recorded=False)
    zone.land(PREFIX + "altered.csv", csv(good(3)), claims={"sha256": "0" * 64})
    another = ObjectVersion(RAW, PREFIX + "good.csv", "v1")
    zone.land(PREFIX + "borrowed.csv", csv(good(4)), claims={"version": another})
    zone.land(PREFIX + "next_day.csv", csv(good(5)), recorded_days_later=1)
    zone.land(PREFIX + "day_before.csv", csv(good(6)), recorded_days_later=-1)
    forger = LandingZone()
    forger.land(PREFIX + "forged.csv", csv(good(7)))
    zone.s3.objects |= forger.s3.objects

    outcome = build()

    codes = {
        name: (row["file_reason"] or "").partition(":")[0] for name, row in outcome.files.items()
    }
    assert codes == {
        "good.csv": "",
        "unrecorded.csv": "custody.unrecorded",
        "altered.csv": "custody.altered",
        "borrowed.csv": "custody.bad_signature",
        "next_day.csv": "",
        "day_before.csv": "",
        "forged.csv": "custody.bad_signature",
    }
    assert [row["customer_id"][-1] for row in outcome.silver] == ["1", "5", "6"]


def test_reads_the_current_version_and_no_folder_marker(
    zone: LandingZone, build: Callable[..., Outcome]
) -> None:
    zone.land(PREFIX + "a.csv", csv(good(1)), version_id="old")
    zone.land(PREFIX + "a.csv", csv(good(2)), version_id="new")
    zone.land(PREFIX, b"")
    zone.land(PREFIX.replace("11-01", "11-02") + "other_day.csv", csv(good(3)))

    outcome = build()

    assert [row["customer_id"][-1] for row in outcome.silver] == ["2"]
    assert outcome.files["a.csv"]["source_version_id"] == "new"
    assert len(outcome.files) == 1


def test_windows_line_ends_and_a_missing_last_one_are_fine(
    zone: LandingZone, build: Callable[..., Outcome]
) -> None:
    zone.land(PREFIX + "a.csv", csv(good(1), good(2), end="\r\n"))
    zone.land(PREFIX + "b.csv", csv(good(3)).rstrip(b"\n"))
    zone.land(PREFIX + "header_only.csv", csv())

    outcome = build()

    assert [row["is_premium"] for row in outcome.silver] == [True] * 3
    assert outcome.files["header_only.csv"]["landed_rows"] == 0


def test_an_unreadable_record_store_fails_the_run_instead_of_blaming_files(
    zone: LandingZone, build: Callable[..., Outcome]
) -> None:
    zone.land(PREFIX + "a.csv", csv(good()))
    zone.s3.denied.add(PROVENANCE)

    with pytest.raises(Exception, match="AccessDenied") as failure:
        build()
    assert not isinstance(failure.value, ClientError)  # raised in a task, reported by Spark


def test_a_day_without_files_fails_clearly(build: Callable[..., Outcome]) -> None:
    with pytest.raises(job.NoInputError, match=r"nothing landed.*dt=2026-11-01"):
        build()


def test_a_day_of_broken_files_fails_clearly(
    zone: LandingZone, build: Callable[..., Outcome]
) -> None:
    zone.land(PREFIX + "a.csv", b"")

    with pytest.raises(job.NoInputError, match="none of the 1 files could be read"):
        build()


def test_a_rejected_share_above_the_limit_fails_after_the_evidence_is_written(
    spark: Any, zone: LandingZone, build: Callable[..., Outcome], tmp_path: Path
) -> None:
    zone.land(PREFIX + "a.csv", csv(*(good(n) for n in range(1, 10)), good(10, country="UK")))

    assert len(build("0.10").silver) == 9
    zone.land(PREFIX + "b.csv", csv(good(11, country="UK")))
    with pytest.raises(Exception, match="already exists"):
        build("0.10")  # a run never writes over another one's output


def test_one_row_too_many_rejected_fails(
    spark: Any, zone: LandingZone, build: Callable[..., Outcome], tmp_path: Path
) -> None:
    zone.land(PREFIX + "a.csv", csv(*(good(n) for n in range(1, 9)), good(10, country="UK")))

    with pytest.raises(job.RejectedShareError, match=r"1 of 9 rows.*0\.10"):
        build("0.10")
    assert Outcome(spark, tmp_path).reasons() == [["country.allowed"]]


def test_files_that_cannot_be_read_count_by_their_bytes(
    spark: Any, zone: LandingZone, build: Callable[..., Outcome], tmp_path: Path
) -> None:
    zone.land(PREFIX + "good.csv", csv(*(good(n) for n in range(1, 10))))
    zone.land(PREFIX + "unrecorded.csv", csv(*(good(n) for n in range(9))), recorded=False)
    broken = csv(good(10), header=HEADER.upper())
    zone.land(PREFIX + "broken.csv", broken)

    with pytest.raises(job.RejectedShareError, match=rf"{len(broken)} of \d+ bytes .*0\.1 "):
        build("0.1")
    assert Outcome(spark, tmp_path).reasons() == [["file.header"], ["custody.unrecorded"]]


def test_a_day_without_rows_is_built(zone: LandingZone, build: Callable[..., Outcome]) -> None:
    zone.land(PREFIX + "a.csv", csv())

    outcome = build("0")

    assert (outcome.silver, outcome.quarantine) == ([], [])
    assert outcome.files["a.csv"]["landed_rows"] == 0


def test_a_large_file_is_read_by_several_readers(
    zone: LandingZone, build: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MIN_PART_BYTES", 300)
    monkeypatch.setattr(shares, "_SHARE_BYTES", 300)
    rows = [good(n) for n in range(1, 8)]
    zone.land(PREFIX + "a.csv", csv(*rows, "", good(3, last_login="")))
    zone.land(PREFIX + "broken.csv", csv(*rows, header=HEADER.upper()))

    outcome = build()

    assert [row["_source_line"] for row in outcome.silver] == list(range(2, 9))
    assert [(row["source_line"], row["reasons"]) for row in outcome.quarantine] == [
        (9, ["row.malformed"]),
        (None, ["file.header"]),
    ]
    counts = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")
    assert [outcome.files["a.csv"][name] for name in counts] == [9, 7, 1, 1]
    assert len(outcome.files) == 2


def test_a_file_of_which_a_part_could_not_be_read_is_not_half_built() -> None:
    read = FileAccount("a.csv", "v1", "0" * 64, 9, 3, 3, 0, 0, file_reason=None)

    assert Totals.of([read]).unbalanced_files == 0
    gone = replace(read, file_reason="custody.unreadable: gone")
    assert Totals.of([gone]).unbalanced_files == 1


def test_what_several_readers_of_a_file_say_is_told_of_the_file(spark: Any) -> None:
    files = [ObjectVersion("raw", f"{number}.csv", f"v{number}") for number in range(4)]
    hashed = ("a" * 64, 9, 2)
    rows = [
        *((0, outcome, None, None) for outcome in ("silver", "silver", "duplicate", "quarantined")),
        (0, "silver", None, [1, 2, 3]),
        *((0, None, (*hashed, None), None), (0, None, (*hashed, None), None)),
        *((1, None, (*hashed, None), None), (1, None, ("a" * 64, 9, 0, "file.header: no"), None)),
        *((2, None, (None, None, 0, reason), None) for reason in ("custody.a: 1", "custody.b: 2")),
        (3, None, ("b" * 64, 2**40, 0, None), None),
    ]
    decided = spark.createDataFrame(
        rows,
        "file int, outcome string, closing struct<sha256: string, size_bytes: bigint,"
        " landed_rows: bigint, file_reason: string>, items array<int>",
    )
    array = SimpleNamespace(name="items")

    found = account(decided, [array], files)  # type: ignore[list-item]

    assert found == [
        FileAccount("0.csv", "v0", "a" * 64, 9, 4, 3, 1, 1, None, (3,)),
        FileAccount("1.csv", "v1", "a" * 64, 9, 2, 0, 0, 0, "file.header: no", (0,)),
        FileAccount("2.csv", "v2", None, None, 0, 0, 0, 0, "custody.b: 2", (0,)),
        FileAccount("3.csv", "v3", "b" * 64, 2**40, 0, 0, 0, 0, None, (0,)),
    ]
    assert {type(value) for of in found for value in (of.landed_rows, *of.item_rows)} == {int}


def test_accounting_sorts_no_rows(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []

    def told(frame: Any) -> Any:
        plans.append(frame._jdf.queryExecution().executedPlan().toString())
        return fetched(frame)

    monkeypatch.setattr(outcomes, "fetched", told)
    decided = spark.createDataFrame(
        [(0, None, ("a" * 64, 9, 0, None))],
        "file int, outcome string, closing struct<sha256: string, size_bytes: bigint,"
        " landed_rows: bigint, file_reason: string>",
    )

    account(decided, [], [ObjectVersion("raw", "0.csv", "v0")])

    assert "HashAggregate" in plans[0]
    assert "Sort" not in plans[0]


def test_a_row_that_was_not_written_fails_the_run(spark: Any, tmp_path: Path) -> None:
    frame = spark.createDataFrame([(1,)], "n int")

    with pytest.raises(job.AccountingError, match="2 rows were to be written, 1 can be read"):
        job._write(spark, {str(tmp_path / "out"): (frame, 2)})


def test_personal_data_leaves_bronze_as_tokens_alone(
    zone: LandingZone,
    contract: Contract,
    build: Callable[..., Outcome],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the tables nor what was logged have a byte of it."""
    caplog.set_level("INFO")
    secrets = ("Zoë-Secret", "Secret-O'Brien", "secret@shop.example")
    names = dict(zip(("first_name", "last_name", "email"), secrets, strict=True))
    zone.land(PREFIX + "a.csv", csv(good(1, **names), good(2, **names, country="??"), good(3)))
    zone.land(PREFIX + "headless.csv", csv(good(5, **names), header=good(4, **names)))
    keys = token_keys(contract)[""]

    outcome = build(personal=True)

    first, third = sorted(outcome.silver, key=lambda row: row["customer_id"])
    assert {column: first[column] for column in names} == {
        column: hmac.new(keys[column], value.encode(), "sha256").hexdigest()[:32]
        for column, value in names.items()
    }
    assert third["email"] != first["email"]
    assert first["country"] == "NL"
    rejected = [(row["reasons"], row["raw_line"]) for row in outcome.quarantine]
    assert rejected == [(["country.pattern", "country.allowed"], None), (["file.header"], None)]
    assert "lacks" in outcome.files["headless.csv"]["file_reason"]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (*secrets, *(key.hex() for key in keys.values())):
        assert secret.encode() not in written
        assert secret not in caplog.text
