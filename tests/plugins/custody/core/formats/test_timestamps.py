from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.formats.timestamps import format_utc, parse_utc

milliseconds = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))


@given(milliseconds)
def test_what_is_written_reads_back(instant):
    assert parse_utc(format_utc(instant)) == instant


def test_s3s_own_form_is_kept_to_the_letter():
    assert format_utc(parse_utc("2026-11-01T06:00:00.120Z")) == "2026-11-01T06:00:00.120Z"


def test_other_zones_are_written_in_utc():
    india = timezone(timedelta(hours=5, minutes=30))
    assert format_utc(datetime(2026, 11, 1, 3, 0, tzinfo=india)) == "2026-10-31T21:30:00.000Z"


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-11-01T06:00:00Z", 0),
        ("2026-11-01T06:00:00.5Z", 500_000),
        ("2026-11-01T06:00:00.123456789Z", 123_456),
    ],
)
def test_fractions_of_any_length(text, microsecond):
    assert parse_utc(text) == datetime(2026, 11, 1, 6, 0, 0, microsecond, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-01",
        "2026-11-01T06:00:00.000",  # no zone
        "2026-11-01T06:00:00.000+00:00",
        "2026-11-01 06:00:00.000Z",
        "2026-13-01T06:00:00.000Z",
        "2026-02-30T06:00:00.000Z",
        "2026-11-01T06:00:00.000Z\n",
        "0001-01-01T00:00:00.000Z",  # cannot be written again, and nothing is before it
        "1969-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59.999Z",  # nothing is behind it
        "٢٠٢٦-11-01T06:00:00.000Z",  # digits, but not ASCII
    ],
)
def test_refuses_what_is_no_utc_instant(text):
    with pytest.raises(ValueError, match=r"."):
        parse_utc(text)


def test_refuses_to_write_a_naive_time():
    with pytest.raises(ValueError, match="time zone"):
        format_utc(datetime(2026, 11, 1))  # noqa: DTZ001 - the point of the test
