"""Appending to the log: once, whole, and whatever happens in between."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.moto_aws import refusal
from tests.support.transparency import OTHER_SIGNER, signer

from custody.aws.seal.log import SealContended, Sealed, seal, seal_history, seal_lister, seal_reader
from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.check import check_seal
from custody.core.seal.entries import RecordEntry, VerdictEntry, parse_entry
from custody.core.seal.intent import Intent
from custody.core.seal.layout import append_path, log_origin
from custody.core.seal.lookup import prove_entry
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.proof import check_proof
from custody.core.tlog.signed_note import BadNote, NoteSigner
from custody.core.tlog.tiles import BadTile

ORIGIN = log_origin("custody-test-provenance")
SIGNER = signer(name=ORIGIN)
KEY = SIGNER.key
UNTRUSTED = Checkpoint(ORIGIN, 3, bytes(32)).sign(OTHER_SIGNER)


def record(i: int, day: int = 1) -> RecordEntry:
    return RecordEntry(f"provenance/incoming/dt=2026-11-{day:02}/{i:064x}.json", f"{i:064x}")


def records(*numbers: int, day: int = 1) -> list[RecordEntry]:
    return [record(i, day) for i in numbers]


def verdict(i: int) -> VerdictEntry:
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=i)
    return VerdictEntry("custody-test-raw", f"k{i}", "v", "VERIFIED", f"{i:064x}", at)


def put(s3: Any, bucket: str, entries: Iterable[Any], by: NoteSigner = SIGNER) -> Sealed:
    return seal(s3, bucket, entries, signer=by)


def files(s3: Any, bucket: str) -> dict[str, bytes]:
    read = seal_reader(s3, bucket)
    return {path: read(path) or b"" for path in seal_lister(s3, bucket)("")}


def contents(s3: Any, bucket: str) -> list[Any]:
    """The entries of the log, which is whole and signed."""
    check = check_seal(seal_reader(s3, bucket), seal_history(s3, bucket), origin=ORIGIN, keys=[KEY])
    assert check.defects == ()
    assert check.tree
    return [parse_entry(raw) for raw in check.tree.entries(0, check.tree.size)]


def write(s3: Any, bucket: str, path: str, body: bytes) -> None:
    s3.put_object(Bucket=bucket, Key=f"seal/{path}", Body=body)


def test_a_days_records_and_verdicts_are_in_the_log_and_proven(s3, provenance):
    entries = [*records(2, 1), verdict(1)]
    sealed = put(s3, provenance, entries)
    assert (sealed.appended, sealed.completed, sealed.checkpoint.size) == (3, 0, 3)
    assert sealed.note == files(s3, provenance)["checkpoint"]
    assert contents(s3, provenance) == [verdict(1), record(1), record(2)]  # ordered by their bytes
    for entry in entries:
        proof = prove_entry(
            seal_reader(s3, provenance),
            seal_lister(s3, provenance),
            entry,
            origin=ORIGIN,
            keys=[KEY],
        )
        assert proof
        included = check_proof(proof, entry.to_bytes(), origin=ORIGIN, keys=[KEY])
        assert included.checkpoint == sealed.checkpoint


def test_the_log_is_kept_in_these_files(s3, provenance):
    put(s3, provenance, records(1, 2))
    assert set(files(s3, provenance)) == {
        "append/0000000000000000000",
        "checkpoint",
        "day/2026-11-01/0000000000000000000-0000000000000000002",
        "tile/0/000.p/2",
        "tile/entries/000.p/2",
    }
    kinds = {
        path: s3.head_object(Bucket=provenance, Key=f"seal/{path}")["ContentType"]
        for path in ("checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2")
    }
    assert kinds == {
        "checkpoint": "text/plain; charset=utf-8",
        "tile/0/000.p/2": "application/octet-stream",
        "tile/entries/000.p/2": "application/octet-stream",
    }


def test_the_same_day_again_adds_nothing(s3, provenance):
    first = put(s3, provenance, records(1, 2, 3))
    before = files(s3, provenance)
    again = put(s3, provenance, [*records(3, 2, 1), *records(1)])
    assert (again.appended, again.completed) == (0, 0)
    assert again.checkpoint == first.checkpoint
    assert files(s3, provenance) == before


def test_what_came_late_is_added_to_its_day_and_nothing_twice(s3, provenance):
    put(s3, provenance, records(1, 2))
    put(s3, provenance, records(3, day=2))
    late = put(s3, provenance, [*records(0, 1, 2), *records(3, day=2)])
    assert late.appended == 1
    assert contents(s3, provenance) == [*records(1, 2), record(3, 2), record(0)]
    assert put(s3, provenance, records(0, 1, 2)).appended == 0


def test_days_are_sealed_one_after_another(s3, provenance):
    assert put(s3, provenance, [record(9, 2), record(1, 3), record(5, 1)]).appended == 3
    assert contents(s3, provenance) == [record(5, 1), record(9, 2), record(1, 3)]


def test_nothing_to_seal(s3, provenance):
    sealed = put(s3, provenance, [])
    assert (sealed.appended, sealed.checkpoint.size, sealed.note) == (0, 0, None)
    assert files(s3, provenance) == {}


def test_a_log_grows_across_tiles(s3, provenance):
    sizes = [1, 255, 256, 257, 600]
    for size in sizes:
        assert put(s3, provenance, records(*range(size))).checkpoint.size == size
        assert contents(s3, provenance) == records(*range(size))


def test_more_than_one_append_holds(s3, provenance, monkeypatch):
    monkeypatch.setattr("custody.core.seal.intent.MAX_ENTRIES", 100)
    assert put(s3, provenance, records(*range(250))).appended == 250
    assert contents(s3, provenance) == records(*range(250))
    starts = [path for path in files(s3, provenance) if path.startswith("append/")]
    assert starts == [append_path(0), append_path(100), append_path(200)]
    assert put(s3, provenance, records(*range(250))).appended == 0


class Killed(BaseException):
    """The program dies: no further request of it reaches S3."""


class Fault:
    """Lets this many writes through, then nothing at all."""

    def __init__(self, s3: Any, writes: int) -> None:
        self._s3 = s3
        self._left = writes
        self.struck = False
        s3.meta.events.register("before-call.s3", self._strike, unique_id="fault")

    def _strike(self, model: Any, **_: object) -> None:
        if model.name == "PutObject":
            self._left -= 1
            self.struck = self.struck or self._left < 0
        if self.struck:
            raise Killed

    def over(self) -> None:
        self._s3.meta.events.unregister("before-call.s3", unique_id="fault")


@pytest.mark.parametrize("next_run", ["the same", "something else", "more"])
def test_killed_between_any_two_writes(s3, provenance, next_run):
    """Whatever the next run brings, nothing is lost, doubled or forked."""
    start, batch = records(*range(250)), records(*range(250, 270))
    put(s3, provenance, start)
    days = {"the same": batch, "something else": [record(7, 2)], "more": [*batch, record(999)]}
    remembered = put(s3, provenance, []).note
    survived, writes = False, 0
    while not survived:
        fault = Fault(s3, writes)
        try:
            put(s3, provenance, batch)
            survived = not fault.struck
        except Killed:
            pass
        fault.over()
        put(s3, provenance, days[next_run])
        found = contents(s3, provenance)
        assert len(found) == len(set(found))
        assert set(start) <= set(found)
        assert set(days[next_run]) <= set(found)
        check = check_seal(
            seal_reader(s3, provenance),
            seal_history(s3, provenance),
            origin=ORIGIN,
            keys=[KEY],
            remembered=remembered,
        )
        assert check.defects == ()
        remembered = check.head
        put(s3, provenance, batch)
        assert set(batch) <= set(contents(s3, provenance))
        # The next round seals other entries, and a write later dies.
        batch = [record(1000 * (writes + 1) + i) for i in range(20)]
        days |= {
            "the same": batch,
            "something else": [record(8 + writes, 2)],
            "more": [*batch, record(5000 * (writes + 1))],
        }
        writes += 1
    assert writes > 5  # intent, bundle, tile, day, checkpoint at the least


def test_what_was_decided_is_completed_before_anything_else(s3, provenance):
    put(s3, provenance, records(1))
    fault = Fault(s3, 1)
    with pytest.raises(Killed):
        put(s3, provenance, records(2, 3))
    fault.over()
    assert contents(s3, provenance) == records(1)  # readers see the last whole log
    resumed = put(s3, provenance, records(4, 5))
    assert (resumed.appended, resumed.completed) == (2, 2)
    assert contents(s3, provenance) == records(1, 2, 3, 4, 5)


def meanwhile(s3: Any, operation: str, act: Callable[[], object]) -> None:
    """Do something just before the next request of this kind for a place of the seal."""
    done = []

    def once(**_: object) -> None:
        if not done:
            done.append(True)
            act()

    s3.meta.events.register(f"before-call.s3.{operation}", once)


def test_two_at_once_do_not_fork_the_log(s3, provenance):
    put(s3, provenance, records(1))
    meanwhile(s3, "PutObject", lambda: put(s3, provenance, records(2, 3)))
    sealed = put(s3, provenance, records(3, 4))
    assert (sealed.appended, sealed.checkpoint.size) == (1, 4)
    assert contents(s3, provenance) == records(1, 2, 3, 4)


def test_two_that_complete_the_same_append_agree(s3, provenance):
    put(s3, provenance, records(1))
    seen = []

    def intrude(params: dict[str, Any], **_: object) -> None:
        if "If-Match" in params["headers"] and not seen:
            seen.append(True)
            put(s3, provenance, records(9))

    s3.meta.events.register("before-call.s3.PutObject", intrude)
    sealed = put(s3, provenance, records(2))
    assert (sealed.appended, sealed.checkpoint.size) == (1, 3)
    assert contents(s3, provenance) == records(1, 2, 9)


def test_others_that_always_come_first_are_an_error(s3, provenance):
    others = iter(range(100, 200))
    busy = []

    def intrude(params: dict[str, Any], **_: object) -> None:
        if "/seal/append/" in params["url_path"] and not busy:
            busy.append(True)
            put(s3, provenance, records(next(others)))
            busy.clear()

    s3.meta.events.register("before-call.s3.PutObject", intrude)
    with pytest.raises(SealContended, match="others appended 5 times while 2026-11-01"):
        put(s3, provenance, records(1))
    assert contents(s3, provenance) == records(100, 101, 102, 103, 104)


def test_a_checkpoint_that_cannot_be_replaced_is_an_error(s3, provenance):
    put(s3, provenance, records(1))

    def refuse(params: dict[str, Any], **_: object) -> Any:
        return refusal("PreconditionFailed", 412) if "If-Match" in params["headers"] else None

    s3.meta.events.register("before-call.s3.PutObject", refuse)
    with pytest.raises(SealContended, match="the checkpoint of 2 entries could not be written"):
        put(s3, provenance, records(2))


def test_any_other_refusal_is_an_error(s3, provenance):
    s3.meta.events.register(
        "before-call.s3.PutObject", lambda **_: refusal("AccessDenied", 403), unique_id="no"
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        put(s3, provenance, records(1))
    s3.meta.events.unregister("before-call.s3.PutObject", unique_id="no")
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal("AccessDenied", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        put(s3, provenance, records(1))


def test_every_write_is_conditional(s3, provenance):
    put(s3, provenance, records(1))
    conditions = []

    def note(params: dict[str, Any], **_: object) -> None:
        headers = params["headers"]
        conditions.append((params["url_path"], headers.get("If-None-Match", "if-match")))

    s3.meta.events.register("before-call.s3.PutObject", note)
    put(s3, provenance, records(2))
    assert [path for path, condition in conditions if condition != "*"] == ["/seal/checkpoint"]
    assert len(conditions) == 5


def test_an_older_checkpoint_put_back_is_rolled_forward_to_the_same_log(s3, provenance):
    old = put(s3, provenance, records(1)).note
    put(s3, provenance, records(2))
    now = put(s3, provenance, records(3, 4))
    write(s3, provenance, "checkpoint", old or b"")
    again = put(s3, provenance, records(3, 4))
    assert (again.appended, again.completed) == (0, 3)
    assert (again.checkpoint, again.note) == (now.checkpoint, now.note)


def test_a_log_whose_checkpoint_was_deleted_is_not_begun_anew(s3, provenance):
    put(s3, provenance, records(1))
    for path in files(s3, provenance):
        s3.delete_object(Bucket=provenance, Key=f"seal/{path}")
    with pytest.raises(BadTile, match="checkpoint: was deleted"):
        put(s3, provenance, records(2))
    assert seal_reader(s3, provenance)("checkpoint") is None


def test_a_decision_that_was_deleted_is_not_made_anew(s3, provenance):
    old = put(s3, provenance, records(1)).note
    put(s3, provenance, records(2))
    write(s3, provenance, "checkpoint", old or b"")
    s3.delete_object(Bucket=provenance, Key=f"seal/{append_path(1)}")
    with pytest.raises(BadTile, match="append/0000000000000000001: was deleted"):
        put(s3, provenance, records(3))


def refused(s3: Any, provenance: str, error: type[Exception], match: str) -> None:
    """An append is refused and readers see what they saw before."""

    def published() -> dict[str, bytes]:
        found = files(s3, provenance).items()
        return {path: body for path, body in found if not path.startswith("append/")}

    before = published()
    with pytest.raises(error, match=match):
        put(s3, provenance, records(77))
    assert published() == before


@pytest.mark.parametrize(
    ("path", "body", "error", "match"),
    [
        ("checkpoint", b"rubbish", MalformedInput, "note"),
        (
            "checkpoint",
            UNTRUSTED,
            BadNote,
            "no trusted key",
        ),
        ("checkpoint", Checkpoint(ORIGIN, 3, bytes(32)).sign(SIGNER), BadTile, "the root of 3"),
        ("checkpoint", Checkpoint(ORIGIN, 9, bytes(32)).sign(SIGNER), BadTile, "is missing"),
        ("tile/0/000.p/3", bytes(96), BadTile, "does not have the hashes of what is below it"),
        ("tile/0/000.p/3", b"", BadTile, "has 0 bytes, not 96"),
        ("tile/entries/000.p/3", b"\0\1x" * 3, BadTile, "do not have the hashes"),
        ("append/0000000000000000003", b"rubbish", MalformedInput, "intent"),
    ],
)
def test_a_log_that_was_meddled_with_is_not_extended(s3, provenance, path, body, error, match):
    put(s3, provenance, records(1, 2, 3))
    write(s3, provenance, path, body)
    refused(s3, provenance, error, match)


def test_a_strangers_decision_is_not_completed(s3, provenance):
    head = put(s3, provenance, records(1)).checkpoint
    stranger = signer(b"\7" * 32, ORIGIN)
    forged = Intent(head, record(1).day, (record(666).to_bytes(),)).sign(stranger)
    write(s3, provenance, append_path(1), forged)
    refused(s3, provenance, BadNote, "no trusted key")


def test_a_file_that_stands_in_the_way_is_not_overwritten(s3, provenance):
    put(s3, provenance, records(1))
    write(s3, provenance, "tile/0/000.p/2", b"undeclared")
    with pytest.raises(BadTile, match=r"tile/0/000\.p/2: another file stands where this append"):
        put(s3, provenance, records(2))
    assert files(s3, provenance)["tile/0/000.p/2"] == b"undeclared"
    assert contents(s3, provenance) == records(1)


def test_a_strangers_range_does_not_keep_an_entry_out_of_the_log(s3, provenance):
    put(s3, provenance, records(1, 2))
    write(s3, provenance, f"day/2026-11-05/{0:019d}-{2:019d}", b"")
    write(s3, provenance, f"day/2026-11-05/{2:019d}-{9:019d}", b"")
    assert put(s3, provenance, [record(5, 5)]).appended == 1


def test_a_key_that_replaces_another_goes_on_with_its_log(s3, provenance):
    put(s3, provenance, records(1))
    new = signer(b"\2" * 32, ORIGIN)
    with pytest.raises(BadNote, match="no trusted key"):
        seal(s3, provenance, records(2), signer=new)
    sealed = seal(s3, provenance, records(2), signer=new, trusted=[KEY])
    assert sealed.checkpoint.size == 2
    check = check_seal(
        seal_reader(s3, provenance),
        seal_history(s3, provenance),
        origin=ORIGIN,
        keys=[KEY, new.key],
    )
    assert check.defects == ()
