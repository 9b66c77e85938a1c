"""A witness of others takes our checkpoints and proofs, and what it signs is read alike."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.cosigners.conftest import LOGS, Omniwitness, signer_of
from tests.support.transparency import MemoryLog

from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.quorum import cosigned, with_cosignatures
from custody.core.tlog.witness_protocol import Answer, add_checkpoint
from custody.cosigner_client import poster

GROWS, FORKS, SHRINKS = LOGS


def note_of(log: MemoryLog, origin: str) -> bytes:
    return Checkpoint(origin, log.tree.size, log.tree.root).sign(signer_of(origin))


def show(log: MemoryLog, origin: str, to: Omniwitness) -> Answer:
    """What it says to its first key's owner; it answers with both signatures."""
    return add_checkpoint(note_of(log, origin), log.tree, to.cosigners[0], poster(to.url))


def test_a_log_that_grows_is_cosigned_and_go_reads_what_we_store(
    omniwitness: Omniwitness, opennote: Path
) -> None:
    lines = [f"witness w{i} {each.key.vkey}" for i, each in enumerate(omniwitness.cosigners)]
    policy = CosigningPolicy.parse("\n".join([*lines, "group both all w0 w1", "quorum both"]))
    log_key = signer_of(GROWS).key
    for size in (1, 2, 7, 7, 256, 700):
        log = MemoryLog(size)
        note, post = note_of(log, GROWS), poster(omniwitness.url)
        now = datetime.now(UTC)
        fresh = [
            signature
            for each in omniwitness.cosigners
            for signature in add_checkpoint(note, log.tree, each, post).signatures
        ]
        stored = with_cosignatures(note, fresh, policy, now)
        found = cosigned(stored, policy, now)
        assert found.is_met, (size, found.in_words)
        read = subprocess.run(
            [opennote, log_key.vkey, *(each.key.vkey for each in omniwitness.cosigners)],
            input=stored,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.decode()
        assert read.splitlines() == [
            GROWS,
            *(
                f"{each.key.name} {int(found.times[name].timestamp())}"
                for name, each in zip(("w0", "w1"), omniwitness.cosigners, strict=True)
            ),
        ]


def test_a_fork_is_refused(omniwitness: Omniwitness) -> None:
    assert show(MemoryLog(10), FORKS, omniwitness).signatures
    for size in (10, 11, 300):
        fork = MemoryLog(5)
        fork.append(b"forged %d" % number for number in range(5, size))
        answer = show(fork, FORKS, omniwitness)
        assert (answer.signatures, answer.other_history) == ((), True), answer.trouble
    assert show(MemoryLog(11), FORKS, omniwitness).signatures


def test_a_rollback_is_refused(omniwitness: Omniwitness) -> None:
    assert show(MemoryLog(10), SHRINKS, omniwitness).signatures
    answer = show(MemoryLog(9), SHRINKS, omniwitness)
    assert (answer.signatures, answer.other_history) == ((), True)
    assert answer.trouble == "it has signed 10 entries, and here are 9"
