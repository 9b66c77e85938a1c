"""The seal is shown to those outside, and what they sign is kept with it."""

from datetime import datetime, timedelta

import pytest
from tests.plugins.custody.aws.seal.test_log import SIGNER, files, records, write
from tests.support.cosigners import ANNE, NOW, policy_text
from tests.support.transparency import MemoryLog

from custody.aws.seal.cosigning import Asked, ask_cosigners, keep_cosigned
from custody.aws.seal.keeping import keep_seal
from custody.aws.seal.log import SealContended, read_checkpoint, seal
from custody.core.seal.check import COSIGNED, SealDefectKind
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.quorum import cosigned
from custody.core.tlog.signed_note import open_note
from custody.core.tlog.witness_protocol import Post, Reply, Unreachable
from localaws.cosigner.service import NAME, Cosigner, Refused

DAY = timedelta(days=1)


class Outside:
    """Two who cosign, behind the URLs `one` and `two`; each can be away."""

    def __init__(self, folder) -> None:
        self.now = NOW
        self.away: set[str] = set()
        self.asked: list[str] = []
        self.people = {
            name: Cosigner(folder / f"{name}.json", self._clock) for name in ("one", "two")
        }
        for cosigner in self.people.values():
            cosigner.add_log(SIGNER.key.vkey)

    def _clock(self) -> float:
        return self.now.timestamp()

    def policy(self, quorum: str = "all") -> CosigningPolicy:
        lines = [f"witness {name} {each.vkey} {name}" for name, each in self.people.items()]
        return CosigningPolicy.parse(
            "\n".join([*lines, f"group both {quorum} one two", "quorum both"])
        )

    def reach(self, url: str) -> Post:
        def post(body: bytes) -> Reply:
            self.asked.append(url)
            if url in self.away:
                raise Unreachable("it is away")
            try:
                return Reply(200, "", self.people[url].add_checkpoint(body).encode())
            except Refused as refused:
                return Reply(refused.status, refused.body_type, refused.body.encode())

        return post


@pytest.fixture
def outside(tmp_path):
    return Outside(tmp_path)


def ask(s3, bucket, outside, quorum="all") -> Asked:
    return ask_cosigners(
        s3,
        bucket,
        outside.policy(quorum),
        key=SIGNER.key,
        reach=outside.reach,
        now=outside.now,
    )


def keep(s3, bucket, outside, sealed, last=None, quorum="all"):
    return keep_cosigned(
        s3,
        bucket,
        sealed,
        outside.policy(quorum),
        key=SIGNER.key,
        last=last,
        reach=outside.reach,
        now=outside.now,
    )


def stored(s3, bucket) -> bytes:
    return read_checkpoint(s3, bucket).body


def kinds(found):
    return [located.defect.kind for located in found.defects]


def test_cosignatures_are_lines_of_the_stored_checkpoint(s3, provenance, outside):
    plain = seal(s3, provenance, records(1, 2), signer=SIGNER).note
    note = ask(s3, provenance, outside).note
    assert note == stored(s3, provenance)
    assert note.startswith(plain)
    assert note.count(f"— {NAME} ".encode()) == 2
    assert open_note(note, [SIGNER.key])
    assert cosigned(note, outside.policy(), NOW).times == {"one": NOW, "two": NOW}


def test_the_log_goes_on_from_a_cosigned_checkpoint_and_the_next_is_cosigned(
    s3, provenance, outside
):
    head = None
    for number in (1, 2, 3):
        kept = keep_seal(s3, provenance, records(number), signer=SIGNER, remembered=head)
        assert kept.defects == ()
        assert keep(s3, provenance, outside, kept.sealed).head == stored(s3, provenance)
        head = kept.head
    assert outside.asked.count("one") == 1 + 2 + 2  # once, then without and with its size


def test_a_day_without_entries_is_cosigned_anew(s3, provenance, outside):
    sealed = seal(s3, provenance, records(1), signer=SIGNER)
    keep(s3, provenance, outside, sealed)
    outside.now = NOW + DAY
    again = seal(s3, provenance, records(1), signer=SIGNER)
    kept = keep(s3, provenance, outside, again)
    times = cosigned(stored(s3, provenance), outside.policy(), outside.now).times
    assert (kept.defects, set(times.values())) == ((), {NOW + DAY})
    assert stored(s3, provenance).count(b"\xe2\x80\x94 ") == 3


def test_who_is_away_signs_the_next_time_he_is_asked(s3, provenance, outside):
    outside.away = {"two"}
    sealed = seal(s3, provenance, records(1), signer=SIGNER)
    kept = keep(s3, provenance, outside, sealed, quorum="any")
    assert (kept.defects, kept.head is not None) == ((), True)
    assert kept.answers["two"].trouble == "it cannot be reached: it is away"
    outside.away = set()
    assert set(cosigned(ask(s3, provenance, outside).note, outside.policy(), NOW).times) == {
        "one",
        "two",
    }


def test_a_quorum_missed_for_a_day_is_a_defect_until_it_is_there_again(s3, provenance, outside):
    head = keep(s3, provenance, outside, seal(s3, provenance, records(1), signer=SIGNER)).head
    outside.away = {"one"}
    seen = []
    for day in range(1, 4):
        outside.now = NOW + day * DAY
        if day == 3:
            outside.away = set()
        sealed = seal(s3, provenance, records(day + 1), signer=SIGNER)
        found = keep(s3, provenance, outside, sealed, last=head)
        seen.append(kinds(found))
        head = found.head or head
    assert seen == [[], [SealDefectKind.UNCOSIGNED], []]
    assert set(cosigned(head, outside.policy(), outside.now).times.values()) == {NOW + 3 * DAY}


def test_a_defect_of_the_quorum_is_about_what_is_remembered(s3, provenance, outside):
    outside.away = {"one", "two"}
    sealed = seal(s3, provenance, records(1), signer=SIGNER)
    (located,) = keep(s3, provenance, outside, sealed).defects
    assert (located.defect.path, located.version_id) == (COSIGNED, "null")
    assert "there never was one" in located.defect.reason


def fork(s3, bucket, size: int) -> None:
    """An insider who can sign puts another log in the place of this one."""
    forged = MemoryLog()
    forged.append(b"forged %d" % number for number in range(size))
    for path, content in forged.files.items():
        write(s3, bucket, path, content)
    write(
        s3, bucket, "checkpoint", Checkpoint(SIGNER.key.name, size, forged.tree.root).sign(SIGNER)
    )


@pytest.mark.parametrize("size", [2, 3, 5])
def test_a_fork_is_cosigned_by_nobody_and_everybody_tells_of_it(s3, provenance, outside, size):
    sealed = seal(s3, provenance, records(1, 2), signer=SIGNER)
    keep(s3, provenance, outside, sealed)
    fork(s3, provenance, size)
    found = keep(s3, provenance, outside, sealed, last=None)
    assert kinds(found) == [SealDefectKind.OTHER_HISTORY, SealDefectKind.UNCOSIGNED]
    assert all(f"{name} refuses it" in found.defects[0].defect.reason for name in ("one", "two"))
    assert found.head is None
    assert cosigned(stored(s3, provenance), outside.policy(), NOW).times == {}


def test_a_log_with_defects_is_shown_to_nobody_and_its_age_is_told(s3, provenance, outside):
    head = keep(s3, provenance, outside, seal(s3, provenance, records(1), signer=SIGNER)).head
    outside.asked.clear()
    assert kinds(keep(s3, provenance, outside, None, last=head)) == []
    outside.now = NOW + 2 * DAY
    assert kinds(keep(s3, provenance, outside, None, last=head)) == [SealDefectKind.UNCOSIGNED]
    assert outside.asked == []


def test_before_the_first_entry_nobody_is_asked(s3, provenance, outside):
    sealed = seal(s3, provenance, [], signer=SIGNER)
    found = keep(s3, provenance, outside, sealed)
    assert (found.defects, found.head, outside.asked) == ((), None, [])


def test_a_checkpoint_replaced_meanwhile_is_not_overwritten(s3, provenance, outside):
    seal(s3, provenance, records(1), signer=SIGNER)
    original = outside.reach

    def reach(url: str) -> Post:
        def post(body: bytes) -> Reply:
            seal(s3, provenance, records(1, 2), signer=SIGNER)
            return original(url)(body)

        return post

    outside.reach = reach
    with pytest.raises(SealContended, match="replaced while"):
        ask(s3, provenance, outside)
    assert stored(s3, provenance).split(b"\n")[1] == b"2"


def test_who_has_no_url_is_not_asked_and_may_have_signed(s3, provenance, outside):
    seal(s3, provenance, records(1), signer=SIGNER)
    write(s3, provenance, "checkpoint", ANNE.sign(stored(s3, provenance)))
    policy = CosigningPolicy.parse(policy_text("any", [ANNE]))
    before = files(s3, provenance)
    asked = ask_cosigners(
        s3, provenance, policy, key=SIGNER.key, reach=outside.reach, now=datetime.now(NOW.tzinfo)
    )
    assert (asked.answers, outside.asked, files(s3, provenance)) == ({}, [], before)
    assert cosigned(asked.note, policy, NOW).is_met
