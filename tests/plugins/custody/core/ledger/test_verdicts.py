"""The verdict on an object version as its evidence comes in: a table of transitions, and the order
in which the rules are asked."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.ledger.claims import claimed_id
from custody.core.ledger.facts import StoredRecord, VersionFacts
from custody.core.ledger.policy import MAX_LATE, Policy
from custody.core.ledger.reasons import of_version
from custody.core.ledger.verdicts import SETTLED, Verdict, judge
from custody.core.records.model import LandingEvent, LandingRecord, Recorder
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal
from custody.objects import ObjectVersion

WRITTEN = datetime(2026, 11, 1, 6, 0, 1, tzinfo=UTC)
GRACE = timedelta(minutes=30)
IN_GRACE = WRITTEN + GRACE - timedelta(seconds=1)
AFTER = WRITTEN + GRACE + timedelta(seconds=1)
CRM = Principal("arn:aws:iam::111122223333:user/crm-export", "IAMUser", "AIDACRM", None)
INSIDER = Principal("arn:aws:iam::111122223333:user/insider", "IAMUser", "AIDAINSIDER", None)

PROVEN = TrailEvent(
    event_id="e1",
    name="PutObject",
    time=WRITTEN,
    bucket="raw",
    key="a.csv",
    version_id="v1",
    delete_marker=False,
    request_id="R1",
    bytes_in=100,
    who=CRM,
    source_ip="203.0.113.7",
    user_agent="aws-cli",
    updates=None,
    log="log",
    proven=True,
)
UNPROVEN = replace(PROVEN, proven=False)
BY_INSIDER = replace(PROVEN, who=INSIDER)
FORGING = replace(BY_INSIDER, event_id="e7", bucket="provenance", key="place", source_ip="::1")

CLAIM = LandingRecord(
    version=ObjectVersion("raw", "a.csv", "v1"),
    sha256="ab" * 32,
    size_bytes=100,
    etag="e",
    sequencer="00",
    checksum=None,
    event=LandingEvent("ObjectCreated:Put", WRITTEN, "R1", "host", "203.0.113.7", "AWS:AIDACRM"),
    hashed_at=WRITTEN,
    recorder=Recorder("custody-recorder", "1.0.0"),
)
GOOD = StoredRecord(
    key="provenance/incoming/dt=2026-11-01/r1.json",
    key_id="k",
    claim=CLAIM,
    trouble=None,
    displaced=False,
    undeclared_write=None,
    displacing_write=None,
    stored_at=WRITTEN,
)
OF_INSIDER = replace(
    GOOD, claim=replace(CLAIM, event=replace(CLAIM.event, principal_id="AWS:AIDAINSIDER"))
)
BAD = replace(GOOD, trouble="the signature does not match the payload")
OTHER_BYTES = replace(GOOD, key="r2.json", claim=replace(CLAIM, sha256="cd" * 32))
OTHER_REQUEST = replace(GOOD, claim=replace(CLAIM, event=replace(CLAIM.event, request_id="R9")))
BIGGER = replace(GOOD, claim=replace(CLAIM, size_bytes=101))
DISPLACED = replace(GOOD, displaced=True)
FORGED = replace(GOOD, undeclared_write=FORGING)
MAYBE_FORGED = replace(GOOD, undeclared_write=replace(FORGING, proven=False))


def facts(writes: tuple[TrailEvent, ...], records: tuple[StoredRecord, ...]) -> VersionFacts:
    return VersionFacts(ObjectVersion("raw", "a.csv", "v1"), writes, records, claimed=None)


def policy(as_of: datetime) -> Policy:
    return Policy(
        as_of=as_of,
        grace=GRACE,
        layers={"raw": "bronze", "provenance": "provenance"},
        writers={"bronze": (CRM.arn,)},
        recorders=("arn:aws:iam::111122223333:role/recorder",),
    )


def verdict(
    writes: tuple[TrailEvent, ...], records: tuple[StoredRecord, ...], as_of: datetime = AFTER
) -> Verdict:
    return judge(facts(writes, records), policy(as_of)).verdict


# Evidence as it is now, what comes next, and the verdict before and after; None: time passes.
# The first column says when "now" is.
TRANSITIONS = [
    # A record that comes.
    (IN_GRACE, [PROVEN], GOOD, Verdict.PENDING, Verdict.VERIFIED),
    (AFTER, [PROVEN], GOOD, Verdict.UNRECORDED, Verdict.VERIFIED),
    (AFTER, [PROVEN], BAD, Verdict.UNRECORDED, Verdict.BAD_SIGNATURE),
    (AFTER, [PROVEN], BIGGER, Verdict.UNRECORDED, Verdict.CONFLICT),
    (AFTER, [BY_INSIDER], OF_INSIDER, Verdict.UNRECORDED, Verdict.UNEXPECTED_PRINCIPAL),
    (IN_GRACE, [BY_INSIDER], OF_INSIDER, Verdict.PENDING, Verdict.UNEXPECTED_PRINCIPAL),
    (AFTER, [PROVEN], OF_INSIDER, Verdict.UNRECORDED, Verdict.CONFLICT),
    (AFTER, [UNPROVEN], OF_INSIDER, Verdict.PENDING, Verdict.PENDING),
    (AFTER, [UNPROVEN], GOOD, Verdict.PENDING, Verdict.PENDING),
    # An event that comes.
    (IN_GRACE, [GOOD], PROVEN, Verdict.PENDING, Verdict.VERIFIED),
    (AFTER, [GOOD], PROVEN, Verdict.UNWITNESSED, Verdict.VERIFIED),
    (AFTER, [GOOD], UNPROVEN, Verdict.UNWITNESSED, Verdict.PENDING),
    (AFTER, [OF_INSIDER], BY_INSIDER, Verdict.UNWITNESSED, Verdict.UNEXPECTED_PRINCIPAL),
    (AFTER, [GOOD], BY_INSIDER, Verdict.UNWITNESSED, Verdict.CONFLICT),
    (AFTER, [OTHER_REQUEST], PROVEN, Verdict.UNWITNESSED, Verdict.CONFLICT),
    (AFTER, [FORGED], PROVEN, Verdict.UNWITNESSED, Verdict.CONFLICT),
    # A digest that vouches for the event's log.
    (AFTER, [GOOD, UNPROVEN], PROVEN, Verdict.PENDING, Verdict.VERIFIED),
    (AFTER, [UNPROVEN], PROVEN, Verdict.PENDING, Verdict.UNRECORDED),
    (AFTER, [UNPROVEN, OTHER_REQUEST], PROVEN, Verdict.PENDING, Verdict.CONFLICT),
    (AFTER, [MAYBE_FORGED], FORGED, Verdict.PENDING, Verdict.UNWITNESSED),
    (AFTER, [PROVEN, MAYBE_FORGED], FORGED, Verdict.PENDING, Verdict.CONFLICT),
    (AFTER, [OF_INSIDER, replace(BY_INSIDER, proven=False)], BY_INSIDER,
     Verdict.PENDING, Verdict.UNEXPECTED_PRINCIPAL),
    # Time that passes.
    (IN_GRACE, [PROVEN], None, Verdict.PENDING, Verdict.UNRECORDED),
    (IN_GRACE, [UNPROVEN], None, Verdict.PENDING, Verdict.PENDING),
    (IN_GRACE, [GOOD], None, Verdict.PENDING, Verdict.UNWITNESSED),
    (IN_GRACE, [GOOD, PROVEN], None, Verdict.VERIFIED, Verdict.VERIFIED),
    (IN_GRACE, [GOOD, UNPROVEN], None, Verdict.PENDING, Verdict.PENDING),
    # Evidence against what was thought VERIFIED, and nothing that makes it good again.
    (AFTER, [GOOD, PROVEN], OTHER_BYTES, Verdict.VERIFIED, Verdict.CONFLICT),
    (AFTER, [GOOD, PROVEN], replace(BAD, key="r2.json"), Verdict.VERIFIED, Verdict.BAD_SIGNATURE),
    (AFTER, [GOOD, PROVEN], replace(FORGED, key="r2.json"), Verdict.VERIFIED, Verdict.CONFLICT),
    (AFTER, [GOOD, PROVEN], replace(OTHER_REQUEST, key="z.json"),
     Verdict.VERIFIED, Verdict.CONFLICT),
    (AFTER, [GOOD, PROVEN], replace(OF_INSIDER, key="z.json"), Verdict.VERIFIED, Verdict.CONFLICT),
    (AFTER, [GOOD, PROVEN], replace(PROVEN, event_id="e2"), Verdict.VERIFIED, Verdict.CONFLICT),
    (AFTER, [GOOD, OTHER_BYTES], PROVEN, Verdict.CONFLICT, Verdict.CONFLICT),
    (AFTER, [BAD, PROVEN], replace(GOOD, key="r2.json"),
     Verdict.BAD_SIGNATURE, Verdict.BAD_SIGNATURE),
    # What is injected beside a proven event, or copied, changes nothing.
    (AFTER, [GOOD, PROVEN], replace(UNPROVEN, event_id="e0", who=INSIDER, time=WRITTEN - GRACE),
     Verdict.VERIFIED, Verdict.VERIFIED),
    (AFTER, [GOOD, PROVEN], replace(GOOD, key="r2.json"), Verdict.VERIFIED, Verdict.VERIFIED),
]  # fmt: skip


@pytest.mark.parametrize(("now", "known", "news", "before", "after"), TRANSITIONS)
def test_verdicts_follow_the_evidence(
    now: datetime,
    known: list[TrailEvent | StoredRecord],
    news: TrailEvent | StoredRecord | None,
    before: Verdict,
    after: Verdict,
) -> None:
    later = [e for e in known if not superseded(e, news)] + ([news] if news else [])
    assert verdict(*parted(known), as_of=now) == before
    assert verdict(*parted(later), as_of=AFTER if news is None else now) == after


def superseded(one: object, other: object) -> bool:
    """Deliveries of one event are merged before they are judged: the proven one is left."""
    if isinstance(one, StoredRecord) and isinstance(other, StoredRecord):
        return superseded(one.undeclared_write, other.undeclared_write)
    return (
        isinstance(one, TrailEvent)
        and isinstance(other, TrailEvent)
        and one.event_id == other.event_id
    )


def parted(
    evidence: list[TrailEvent | StoredRecord],
) -> tuple[tuple[TrailEvent, ...], tuple[StoredRecord, ...]]:
    return (
        tuple(e for e in evidence if isinstance(e, TrailEvent)),
        tuple(e for e in evidence if isinstance(e, StoredRecord)),
    )


@pytest.mark.parametrize("writes, records", [((PROVEN,), ()), ((), (GOOD,))])  # noqa: PT006
def test_grace_ends_on_its_last_instant(
    writes: tuple[TrailEvent, ...], records: tuple[StoredRecord, ...]
) -> None:
    tick = timedelta(microseconds=1)
    assert verdict(writes, records, WRITTEN + GRACE - tick) == Verdict.PENDING
    assert verdict(writes, records, WRITTEN + GRACE) in {Verdict.UNRECORDED, Verdict.UNWITNESSED}


def test_what_is_written_in_the_future_is_waited_for() -> None:
    assert verdict((PROVEN,), (), WRITTEN - timedelta(days=1)) == Verdict.PENDING


@pytest.mark.parametrize(
    ("after", "noted", "expected"),
    [
        (GRACE, True, Verdict.PENDING),
        (MAX_LATE - timedelta(seconds=1), True, Verdict.PENDING),
        (MAX_LATE, True, Verdict.UNRECORDED),
        (GRACE, False, Verdict.UNRECORDED),
    ],
)
def test_what_the_recorder_notes_as_late_pages_nobody_for_a_day(
    after: timedelta, noted: bool, expected: Verdict
) -> None:
    late = replace(facts((PROVEN,), ()), noted_late=noted)
    assert judge(late, policy(WRITTEN + after)).verdict == expected
    # What is decided by evidence that is there is not put off.
    forged = replace(facts((PROVEN,), (FORGED,)), noted_late=noted)
    assert judge(forged, policy(WRITTEN + after)).verdict == Verdict.CONFLICT


@pytest.mark.parametrize("after", [IN_GRACE, AFTER, WRITTEN + 2 * MAX_LATE])
def test_a_record_under_a_key_of_ours_that_is_away_accuses_nobody(after: datetime) -> None:
    """However long it is away: the key has a finding of its own."""
    locked = replace(facts((PROVEN,), ()), record_locked=True)
    assert judge(locked, policy(after)).verdict == Verdict.PENDING
    assert judge(replace(locked, record_locked=False), policy(AFTER)).verdict == Verdict.UNRECORDED


def test_a_record_that_is_dated_ahead_is_not_waited_for() -> None:
    ahead = replace(GOOD, stored_at=WRITTEN - timedelta(days=2))
    forged = replace(ahead, undeclared_write=FORGING)
    for record, expected, call in (
        (ahead, Verdict.CONFLICT, None),
        (forged, Verdict.UNWITNESSED, FORGING),
    ):
        judgement = judge(facts((), (record,)), policy(WRITTEN - timedelta(days=2)))
        assert (judgement.verdict, judgement.call) == (expected, call)


@pytest.mark.parametrize("claimed", ["2031-01-01T00:00:00", "1999-01-01T00:00:00"])
def test_an_invented_time_buys_no_grace(claimed: str) -> None:
    time = datetime.fromisoformat(claimed).replace(tzinfo=UTC)
    liar = replace(GOOD, claim=replace(CLAIM, event=replace(CLAIM.event, time=time)))
    assert liar.event_time == datetime(2026, 11, 1, tzinfo=UTC)
    assert verdict((), (liar,)) == Verdict.UNWITNESSED


# From the gravest: each applies although all that follow do too.
PRECEDENCE = [
    (Verdict.BAD_SIGNATURE, (BY_INSIDER,), (BAD, replace(OTHER_BYTES, displaced=True)), AFTER),
    (Verdict.CONFLICT, (BY_INSIDER,), (GOOD, OTHER_BYTES), AFTER),
    (Verdict.CONFLICT, (replace(UNPROVEN, who=INSIDER),), (GOOD, OTHER_BYTES), IN_GRACE),
    (Verdict.CONFLICT, (), (GOOD, OTHER_BYTES), IN_GRACE),
    (Verdict.BAD_SIGNATURE, (), (BAD,), IN_GRACE),
    (Verdict.CONFLICT, (BY_INSIDER,), (DISPLACED,), AFTER),
    (Verdict.CONFLICT, (BY_INSIDER,), (FORGED,), AFTER),
    (Verdict.CONFLICT, (BY_INSIDER,), (BIGGER,), AFTER),
    (Verdict.PENDING, (replace(UNPROVEN, who=INSIDER),), (GOOD,), AFTER),
    (Verdict.CONFLICT, (BY_INSIDER,), (GOOD,), AFTER),
    (Verdict.UNEXPECTED_PRINCIPAL, (BY_INSIDER,), (OF_INSIDER,), AFTER),
]


@pytest.mark.parametrize(("expected", "writes", "records", "as_of"), PRECEDENCE)
def test_the_gravest_finding_counts(
    expected: Verdict,
    writes: tuple[TrailEvent, ...],
    records: tuple[StoredRecord, ...],
    as_of: datetime,
) -> None:
    assert verdict(writes, records, as_of) == expected


def test_a_multipart_upload_completed_again_is_one_write() -> None:
    """Asked again, S3 answers with the version it made the first time."""
    first = replace(PROVEN, name="CompleteMultipartUpload", upload_id="U1", bytes_in=0)
    again = replace(first, event_id="e2", request_id="R2", time=WRITTEN + timedelta(seconds=3))
    for order in itertools.permutations([first, again]):
        assert verdict(order, (GOOD,)) == Verdict.VERIFIED
    other = replace(again, upload_id="U2")
    assert verdict((first, other), (GOOD,)) == Verdict.CONFLICT
    assert verdict((first, again), (OTHER_REQUEST,)) == Verdict.CONFLICT
    unproven = replace(again, request_id="R9", proven=False)
    assert verdict((first, unproven), (OTHER_REQUEST,)) == Verdict.CONFLICT


def test_a_finding_names_who_forged_the_record_before_who_wrote_the_object() -> None:
    for records in [(FORGED,), (BAD, FORGED), (FORGED, OTHER_BYTES)]:
        assert judge(facts((PROVEN,), records), policy(AFTER)).call == FORGING


@pytest.mark.parametrize("record", [BAD, OTHER_BYTES, replace(DISPLACED, displacing_write=FORGING)])
def test_a_finding_names_nobody_on_the_word_of_an_unproven_event(record: StoredRecord) -> None:
    """Evidence that needs no event still pages; who it names must be proven, or claimed."""
    injected = replace(UNPROVEN, who=INSIDER)
    unproven = replace(
        record,
        undeclared_write=replace(FORGING, proven=False),
        displacing_write=record.displacing_write and replace(FORGING, proven=False),
    )
    evidence = facts((injected,), (GOOD, unproven))
    judgement = judge(evidence, policy(AFTER))
    assert judgement.verdict in {Verdict.BAD_SIGNATURE, Verdict.CONFLICT}
    assert (judgement.call, evidence.claimed_arn) == (None, "AIDACRM")


def test_a_write_to_no_layer_has_no_declared_writer() -> None:
    elsewhere = replace(
        facts((PROVEN,), (GOOD,)), version=ObjectVersion("elsewhere", "a.csv", "v1")
    )
    judgement = judge(elsewhere, policy(AFTER))
    assert judgement.verdict == Verdict.UNEXPECTED_PRINCIPAL
    reason = of_version(judgement, elsewhere, policy(AFTER))
    assert reason.endswith("declared writers of no layer.")


@pytest.mark.parametrize(
    ("said", "id_"), [("AWS:AIDACRM", "AIDACRM"), ("AIDACRM", "AIDACRM"), ("AWS:", None)]
)
def test_a_notification_prefixes_its_principal(said: str, id_: str | None) -> None:
    assert claimed_id(replace(CLAIM, event=replace(CLAIM.event, principal_id=said))) == id_


EVENTS = [
    PROVEN,
    UNPROVEN,
    BY_INSIDER,
    replace(PROVEN, event_id="e2", request_id="R9"),
    replace(UNPROVEN, event_id="e3", time=WRITTEN - GRACE),
    replace(PROVEN, event_id="e4", name="CompleteMultipartUpload", upload_id="U"),
]
RECORDS = [
    *(GOOD, OF_INSIDER, BAD, OTHER_BYTES, OTHER_REQUEST, BIGGER, DISPLACED, FORGED, MAYBE_FORGED),
]


@given(
    st.lists(st.sampled_from(EVENTS), max_size=3, unique_by=lambda e: e.event_id),
    st.lists(st.sampled_from(RECORDS), max_size=3),
    st.sampled_from([IN_GRACE, AFTER]),
)
def test_every_state_has_one_verdict_that_nothing_unproven_makes_verified(
    writes: list[TrailEvent], records: list[StoredRecord], as_of: datetime
) -> None:
    if not writes and not records:
        return
    evidence = facts(tuple(writes), tuple(records))
    judgement = judge(evidence, policy(as_of))
    assert of_version(judgement, evidence, policy(as_of)).endswith(".")
    assert judgement.verdict not in {Verdict.ALTERED, Verdict.REMOVED, Verdict.TRAIL_BROKEN}
    if judgement.verdict == Verdict.VERIFIED:
        assert any(write.proven and write.who == CRM for write in writes)
        assert all(record.trouble is None for record in records)
    if judgement.verdict not in SETTLED:
        assert judgement.call or evidence.claimed_arn
        assert records or any(write.proven for write in writes)
