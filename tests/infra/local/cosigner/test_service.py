"""Who cosigns on this machine keeps to https://c2sp.org/tlog-witness.

`tests/plugins/custody/core/tlog` shows it logs of every size, and forks of them.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from localaws.cosigner import notes
from localaws.cosigner.service import NAME, Cosigner, CosignerService
from localaws.protocol import AwsResponse

LOG = "log.example/test"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
TYPED = notes.NOTE_KEY + PRIVATE.public_key().public_bytes_raw()
VKEY = f"{LOG}+{notes.key_id(LOG, TYPED).hex()}+{notes.encoded(TYPED)}"


def leaf(number: int) -> bytes:
    return hashlib.sha256(b"\0%d" % number).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


ROOTS = {1: leaf(0), 2: node(leaf(0), leaf(1)), 3: node(node(leaf(0), leaf(1)), leaf(2))}


def checkpoint(size: int, root: bytes | None = None, by: Ed25519PrivateKey = PRIVATE) -> bytes:
    text = f"{LOG}\n{size}\n{notes.encoded(root or ROOTS[size])}\n".encode()
    signature = notes.encoded(notes.key_id(LOG, TYPED) + by.sign(text))
    return text + f"\n— {LOG} {signature}\n".encode()


@pytest.fixture
def service(tmp_path: Path) -> CosignerService:
    return CosignerService(Cosigner(tmp_path / "state" / "cosigner.json", lambda: 1_700_000_000))


def ask(
    service: CosignerService, path: str, body: bytes = b"", method: str = "POST"
) -> AwsResponse:
    return asyncio.run(service.control(method, path, body))


def add(service: CosignerService, old: int, note: bytes, *proof: bytes) -> AwsResponse:
    lines = [f"old {old}", *map(notes.encoded, proof), "", ""]
    return ask(service, "add-checkpoint", "\n".join(lines).encode() + note)


def test_each_step_of_a_log_is_signed_with_its_time(service: CosignerService) -> None:
    assert ask(service, "logs", VKEY.encode()).status == 200
    vkey = ask(service, "vkey", method="GET").body.decode()
    public = Ed25519PublicKey.from_public_bytes(notes.decoded(vkey.split("+", 2)[2])[1:])
    for old, size, proof in ((0, 1, []), (1, 2, [leaf(1)]), (2, 3, [leaf(2)]), (3, 3, [])):
        note = checkpoint(size)
        answer = add(service, old, note, *proof)
        assert answer.status == 200
        dash, name, signature = answer.body.decode().removesuffix("\n").split(" ")
        data = notes.decoded(signature)
        assert (dash, name, data[4:12]) == ("—", NAME, (1_700_000_000).to_bytes(8, "big"))
        text = note.partition(b"\n\n")[0] + b"\n"
        public.verify(data[12:], b"cosignature/v1\ntime 1700000000\n" + text)


@pytest.mark.parametrize(
    ("old", "note", "proof", "status"),
    [
        (0, checkpoint(2), [], 409),
        (1, checkpoint(3), [leaf(1), leaf(2)], 409),
        (2, checkpoint(3), [], 422),
        (2, checkpoint(3), [leaf(1)], 422),
        (2, checkpoint(2, bytes(32)), [], 422),
        (3, checkpoint(2), [], 400),
        (2, checkpoint(3, by=Ed25519PrivateKey.generate()), [leaf(2)], 403),
        (2, checkpoint(3).replace(LOG.encode(), b"other.example/log"), [leaf(2)], 404),
        (2, b"no note\n", [], 400),
        (2, checkpoint(3), [b"\0"] * 64, 400),
    ],
)
def test_what_is_not_signed(
    service: CosignerService, old: int, note: bytes, proof: list[bytes], status: int
) -> None:
    ask(service, "logs", VKEY.encode())
    assert add(service, 0, checkpoint(2)).status == 200
    answer = add(service, old, note, *proof)
    assert answer.status == status
    if status == 409:
        assert (answer.headers["content-type"], answer.body) == ("text/x.tlog.size", b"2\n")
    assert add(service, 2, checkpoint(3), leaf(2)).status == 200


def test_what_is_no_knob_or_no_key(service: CosignerService) -> None:
    assert ask(service, "nothing").status == 404
    assert ask(service, "add-checkpoint", b"new 1\n\n").status == 400
    assert ask(service, "logs", b"no key").status == 400
    assert ask(service, "logs", VKEY.replace("log", "lag").encode()).status == 400
