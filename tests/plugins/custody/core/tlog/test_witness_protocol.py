"""Asking a cosigner, as https://c2sp.org/tlog-witness says, and understanding every answer."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.cosigners import ANNE, BOB
from tests.support.transparency import KEY, MemoryLog

from custody.core.tlog.cosignature import CosignerKey
from custody.core.tlog.merkle import verify_consistency
from custody.core.tlog.policy import Cosigner
from custody.core.tlog.signed_note import decode_base64, take_apart
from custody.core.tlog.witness_protocol import Reply, Unreachable, add_checkpoint, request
from localaws.cosigner.service import Cosigner as SomebodyOutside
from localaws.cosigner.service import Refused

ANNE_OUTSIDE = Cosigner("anne", ANNE.key, "https://anne.example")
LOG = MemoryLog(5)
TEXT, _ = take_apart(LOG.note)
GOOD = ANNE.signature(TEXT).to_line()


def says(*replies: Reply) -> tuple[Callable[[bytes], Reply], list[bytes]]:
    """One who gives these answers, and the requests that he gets."""
    rest, asked = list(replies), list[bytes]()

    def post(body: bytes) -> Reply:
        asked.append(body)
        return rest.pop(0)

    return post, asked


def ask(*replies: Reply):
    post, asked = says(*replies)
    return add_checkpoint(LOG.note, LOG.tree, ANNE_OUTSIDE, post), asked


def stale(size: object) -> Reply:
    return Reply(409, "text/x.tlog.size", f"{size}\n".encode())


def test_a_request_is_the_old_size_the_proof_and_the_checkpoint():
    proof = [bytes(32), bytes([255]) * 32]
    assert request(20852014, proof, b"note\n") == (
        b"old 20852014\n"
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        b"//////////////////////////////////////////8=\n"
        b"\n"
        b"note\n"
    )
    assert request(0, [], b"note\n") == b"old 0\n\nnote\n"


def test_who_never_signed_before_signs_at_once():
    answer, asked = ask(Reply(200, "", GOOD))
    assert (answer.signatures, answer.trouble) == ((ANNE.signature(TEXT),), None)
    assert asked == [b"old 0\n\n" + LOG.note]


def test_who_signed_before_says_of_which_size_and_gets_the_proof():
    answer, asked = ask(stale(3), Reply(200, "", GOOD))
    assert answer.signatures
    head, _, note = asked[1].partition(b"\n\n")
    assert (head.split(b"\n")[0], note) == (b"old 3", LOG.note)
    proof = [decode_base64(line.decode(), "hash") for line in head.split(b"\n")[1:]]
    verify_consistency(3, 5, MemoryLog(3).tree.root, LOG.tree.root, proof)


def test_signatures_by_others_in_an_answer_are_passed_over():
    lines = BOB.signature(TEXT).to_line() + GOOD + ANNE.signature(b"other\n").to_line()
    answer, _ = ask(Reply(200, "", lines))
    assert answer.signatures == (ANNE.signature(TEXT),)


@pytest.mark.parametrize(
    ("replies", "trouble"),
    [
        ([Reply(200, "", b"")], "cannot be read"),
        ([Reply(200, "", b"\xff")], "cannot be read"),
        ([Reply(200, "", b"<html>welcome</html>\n")], "cannot be read"),
        ([Reply(200, "", b"\n".join([GOOD.strip()] * 101))], "cannot be read"),
        ([Reply(200, "", BOB.signature(TEXT).to_line())], "no good signature by its key"),
        ([Reply(200, "", ANNE.signature(b"other\n").to_line())], "no good signature by its key"),
        ([Reply(400, "", b"")], "does not understand"),
        ([Reply(403, "", b"")], "signed by no key that it knows"),
        ([Reply(404, "", b"")], "does not know this log"),
        ([Reply(429, "", b"")], "asked too often"),
        ([Reply(500, "", b"")], "answers 500"),
        ([Reply(799, "", b"")], "answers 799"),
        ([Reply(302, "", b"")], "answers 302"),
        ([Reply(409, "text/plain", b"3\n")], "does not say with which size"),
        ([Reply(409, "text/x.tlog.size", b"three\n")], "does not say with which size"),
        ([Reply(409, "text/x.tlog.size", b"\xff\n")], "does not say with which size"),
        ([stale(0)], "does not say with which size"),
        ([stale(2), stale(3), stale(4)], "at the same time"),
    ],
)
def test_an_answer_without_a_signature_is_a_trouble_and_accuses_nobody(replies, trouble):
    answer, _ = ask(*replies)
    assert (answer.signatures, answer.other_history) == ((), False)
    assert trouble in answer.trouble


@pytest.mark.parametrize(
    ("replies", "trouble"),
    [
        ([stale(6)], "it has signed 6 entries, and here are 5"),
        ([stale(2**63 - 1)], "and here are 5"),
        ([stale(3), Reply(422, "", b"")], "does not begin with"),
        ([stale(5), Reply(422, "", b"")], "does not begin with"),
        ([stale(5), Reply(409, "", b"")], "others than these 5 entries"),
        ([stale(5), stale(5)], "others than these 5 entries"),
    ],
)
def test_who_signed_what_does_not_fit_knows_another_history(replies, trouble):
    answer, _ = ask(*replies)
    assert (answer.signatures, answer.other_history) == ((), True)
    assert trouble in answer.trouble


def test_who_cannot_be_reached_is_a_trouble():
    def post(_: bytes) -> Reply:
        raise Unreachable("no route")

    answer = add_checkpoint(LOG.note, LOG.tree, ANNE_OUTSIDE, post)
    assert (answer.trouble, answer.other_history) == ("it cannot be reached: no route", False)


# Against one who shares no code with us.


@pytest.fixture
def outside(tmp_path: Path) -> SomebodyOutside:
    outside = SomebodyOutside(tmp_path / "cosigner.json")
    outside.add_log(KEY.vkey)
    return outside


def show(log: MemoryLog, outside: SomebodyOutside):
    def post(body: bytes) -> Reply:
        try:
            return Reply(200, "text/plain", outside.add_checkpoint(body).encode())
        except Refused as refused:
            return Reply(refused.status, refused.body_type, refused.body.encode())

    key = CosignerKey.parse(outside.vkey)
    return add_checkpoint(log.note, log.tree, Cosigner("outside", key, None), post)


def forked(at: int, size: int) -> MemoryLog:
    log = MemoryLog(at)
    log.append(b"forged %d" % i for i in range(at, size))
    return log


def test_a_log_that_grows_is_signed_every_time(outside):
    for size in (1, 2, 3, 7, 7, 255, 256, 257, 600):
        assert show(MemoryLog(size), outside).signatures, size


@pytest.mark.parametrize("size", [9, 10, 11, 300])
def test_a_fork_is_signed_by_nobody_who_saw_the_log(outside, size):
    assert show(MemoryLog(10), outside).signatures
    answer = show(forked(5, size), outside)
    assert (answer.signatures, answer.other_history) == ((), True)
    assert show(MemoryLog(300), outside).signatures, "what it signed before stands"


def test_a_log_that_nobody_told_him_of_is_not_signed(tmp_path):
    answer = show(MemoryLog(3), SomebodyOutside(tmp_path / "cosigner.json"))
    assert (answer.trouble, answer.other_history) == ("it does not know this log", False)


def test_what_was_signed_is_remembered_across_a_restart(outside, tmp_path):
    assert show(MemoryLog(10), outside).signatures
    again = SomebodyOutside(tmp_path / "cosigner.json")
    assert again.vkey == outside.vkey
    assert show(forked(5, 20), again).other_history
