"""Hypothesis strategies for what lands in S3."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from custody.core.formats.checksums import S3Checksum
from custody.core.records.model import (
    LandingEvent,
    LandingRecord,
    Recorder,
    UnreadableReason,
    UnreadableRecord,
)
from custody.objects import ObjectVersion

AWKWARD_KEYS = [
    "incoming/customers/dt=2026-11-01/crm export.csv",
    "a+b",
    "100%",
    "%2B",
    'it\'s "quoted".csv',
    "back\\slash",
    "naïve/日本語/🗃️.csv",
    "e\u0301",  # not the same key as é
    "line\nbreak\ttab",
    "folder/",
    "//",
    ".",
    "\u2028",
    "k" * 1024,
    "é" * 512,  # 1,024 bytes
]

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
keys = st.sampled_from(AWKWARD_KEYS) | texts.filter(lambda t: len(t.encode()) <= 1024)
buckets = st.from_regex(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", fullmatch=True)
versions = st.builds(ObjectVersion, buckets, keys, texts)
instants = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001 - none later is read
    timezones=st.just(UTC),
).map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))
checksums = st.none() | st.sampled_from(
    [
        S3Checksum("CRC64NVME", "FULL_OBJECT", "AAAAAAAAAAA="),
        S3Checksum("CRC32", "COMPOSITE", "AAAAAA==-2"),
    ]
)
sizes = st.integers(0, 2**63 - 1)
etags = texts.filter(lambda t: '"' not in t)
sequencers = st.from_regex(r"[0-9A-F]{1,64}", fullmatch=True)
events = st.builds(
    LandingEvent,
    name=texts,
    time=instants,
    request_id=texts,
    host_id=texts,
    source_ip=texts,
    principal_id=texts,
)
recorders = st.builds(Recorder, name=texts, version=texts)
records = st.builds(
    LandingRecord,
    version=versions,
    sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    size_bytes=sizes,
    etag=etags,
    sequencer=sequencers,
    checksum=checksums,
    event=events,
    hashed_at=instants,
    recorder=recorders,
)
unreadable_records = st.builds(
    UnreadableRecord,
    version=versions,
    size_bytes=sizes,
    etag=etags,
    sequencer=sequencers,
    event=events,
    reason=st.sampled_from(UnreadableReason),
    answer=texts,
    tried_at=instants,
    recorder=recorders,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", *AWKWARD_KEYS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
"""What somebody hostile may put where anything else belongs."""
