import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import buckets, instants, keys, texts

from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.entries import (
    MAX_ENTRY_BYTES,
    RecordEntry,
    VerdictEntry,
    is_due,
    parse_entry,
)

RECORD = RecordEntry(key=f"provenance/incoming/dt=2026-11-01/{'ab' * 32}.json", sha256="cd" * 32)
VERDICT = VerdictEntry(
    bucket="custody-dev-raw-111122223333",
    key="incoming/customers/dt=2026-11-01/crm é.csv",
    version_id="3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY",
    verdict="UNRECORDED",
    fingerprint="ef" * 32,
    as_of=datetime(2026, 11, 2, tzinfo=UTC),
)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
verdicts = st.builds(
    VerdictEntry,
    bucket=buckets,
    key=keys,
    version_id=texts,
    verdict=st.sampled_from(["VERIFIED", "BAD_SIGNATURE"]),
    fingerprint=hashes,
    as_of=instants,
)


def test_the_form_is_this():
    """Sealed for good: a change of it is another version."""
    assert RECORD.to_bytes().decode() == (
        '{"key":"provenance/incoming/dt=2026-11-01/' + "ab" * 32 + '.json",'
        '"kind":"record","sha256":"' + "cd" * 32 + '","v":1}'
    )
    assert VERDICT.to_bytes().decode() == (
        '{"as_of":"2026-11-02T00:00:00.000Z","bucket":"custody-dev-raw-111122223333",'
        '"fingerprint":"' + "ef" * 32 + '","key":"incoming/customers/dt=2026-11-01/crm é.csv",'
        '"kind":"verdict","v":1,"verdict":"UNRECORDED",'
        '"version_id":"3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY"}'
    )


@given(verdicts | st.builds(RecordEntry, keys.map(lambda k: f"dt=2026-11-01/{k}"[:1024]), hashes))
def test_reads_what_it_writes_in_one_line(entry):
    try:
        parsed = parse_entry(entry.to_bytes())
    except MalformedInput as error:  # the prefix made the key too long
        assert "an object key has 1 to 1024" in str(error)  # noqa: PT017
        return
    assert parsed == entry
    assert b"\n" not in entry.to_bytes()


def test_the_longest_entry_fits():
    worst = VerdictEntry("b" * 63, "\1" * 1024, "\1" * 1024, "A" * 64, "0" * 64, VERDICT.as_of)
    assert len(worst.to_bytes()) < MAX_ENTRY_BYTES / 4


@pytest.mark.parametrize(
    "key",
    [
        "provenance/incoming/dt=2026-11-01/x.json",
        "provenance/lineage/dt=2026-11-01/run=7/x.json",
        "dt=2026-11-01/x",
    ],
)
def test_a_record_belongs_to_the_day_it_is_filed_under(key):
    assert RecordEntry(key, "00" * 32).day == date(2026, 11, 1)


@pytest.mark.parametrize(
    "key",
    ["provenance/x.json", "x-dt=2026-11-01/x", "dt=2026-11-01", "dt=2026-13-01/x", "dt=20261101/x"],
)
def test_a_record_without_a_day_cannot_be_sealed(key):
    with pytest.raises(MalformedInput, match=r"entry\.key: is not filed under a day"):
        RecordEntry(key, "00" * 32)


def test_a_verdict_belongs_to_the_utc_day_it_speaks_of():
    east = datetime(2026, 11, 2, 1, tzinfo=timezone(timedelta(hours=3)))
    entry = VerdictEntry("bucket", "k", "v", "VERIFIED", "0" * 64, east)
    assert entry.day == date(2026, 11, 1)
    assert b'"as_of":"2026-11-01T22:00:00.000Z"' in entry.to_bytes()


def test_a_verdict_needs_a_time_zone():
    with pytest.raises(ValueError, match="naive"):
        VerdictEntry("bucket", "k", "v", "VERIFIED", "0" * 64, datetime(2026, 11, 1))  # noqa: DTZ001


def changed(entry: RecordEntry | VerdictEntry, **fields: object) -> bytes:
    document = {**json.loads(entry.to_bytes()), **fields}
    return json.dumps(
        {k: v for k, v in document.items() if v is not ...},
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    ).encode()


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "entry: not JSON"),
        (b"[]", "entry: must be an object"),
        (b"x" * 65535, "longer than the 65534 bytes"),
        (changed(RECORD, v=2), "entry.v: is 2; this program knows 1"),
        (changed(RECORD, v=...), "entry.v: is missing"),
        (changed(RECORD, kind="note"), "'note' is neither a record nor a verdict"),
        (changed(RECORD, key="provenance/x"), "entry.key: is not filed under a day"),
        (changed(RECORD, key="dt=2026-11-01/" + "x" * 1020), "entry.key"),
        (changed(RECORD, sha256="AB" * 32), "entry.sha256"),
        (changed(RECORD, more=1), "not in its canonical form"),
        (RECORD.to_bytes() + b"\n", "not in its canonical form"),
        (RECORD.to_bytes().replace(b",", b", "), "not in its canonical form"),
        (VERDICT.to_bytes().replace("é".encode(), b"\\u00e9"), "not in its canonical form"),
        (changed(VERDICT, verdict="verified"), "entry.verdict: 'verified' is no name"),
        (changed(VERDICT, bucket="B"), "entry.bucket"),
        (changed(VERDICT, version_id=""), "entry.version_id: must not be empty"),
        (changed(VERDICT, fingerprint="0"), "entry.fingerprint"),
        (changed(VERDICT, as_of="2026-11-02"), "entry.as_of"),
        (changed(VERDICT, as_of="2026-11-02T00:00:00Z"), "not in its canonical form"),
    ],
)
def test_what_is_no_entry(raw, problem):
    with pytest.raises(MalformedInput, match=problem):
        parse_entry(raw)


@given(st.binary(max_size=80))
def test_no_bytes_crash_the_reader(raw):
    with pytest.raises(MalformedInput):
        parse_entry(raw)


@pytest.mark.parametrize(
    ("day", "came", "due"),
    [
        ("2026-11-02", "2026-11-02T08:00:00Z", True),
        ("2026-11-03", "2026-11-03T23:59:59Z", True),
        ("2025-06-30", "2026-11-02T00:00:00Z", True),  # a day that was backfilled
        ("2026-11-01", "2026-11-01T23:59:59Z", False),  # the nights before sealed it
        ("2026-11-04", "2026-11-03T12:00:00Z", False),
        ("9999-12-31", "2026-11-03T12:00:00Z", False),
        ("2026-13-45", "2026-11-03T12:00:00Z", False),
    ],
)
def test_what_came_in_the_last_days_is_sealed_however_old_its_day(day, came, due):
    at = datetime.fromisoformat(came)
    days = {"first": date(2026, 11, 2), "last": date(2026, 11, 3)}
    assert is_due(f"provenance/lineage/dt={day}/{'ab' * 32}.json", at, **days) is due
    assert not is_due("provenance/lineage/statement.json", at, **days)
