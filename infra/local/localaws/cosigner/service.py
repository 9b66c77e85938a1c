"""Who cosigns, and the knobs by which he is reached.

    GET  /_local/cosigner/vkey            the key he signs with
    POST /_local/cosigner/logs            a vkey: a log to sign for, named as its key is
    POST /_local/cosigner/add-checkpoint  as the specification says

A real one has the first two in his configuration.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from localaws.cosigner import notes
from localaws.files import write_private
from localaws.protocol import AwsError, AwsRequest, AwsResponse

NAME: Final = "cosigner.local/1"
_MOST_HASHES: Final = 63


class Refused(Exception):
    """A request that is not granted: the status of the answer, its body and the body's type."""

    def __init__(self, status: HTTPStatus, body: str = "", body_type: str = "text/plain") -> None:
        super().__init__(f"{status.value} {body}")
        self.status, self.body, self.body_type = status, body, body_type


class Cosigner:
    """His key, and what he signed last for each log; kept in `file` before he answers."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file, self._clock = file, clock
        self._state: dict[str, Any] = {"logs": {}}
        if file.exists():
            self._state = json.loads(file.read_text(encoding="utf-8"))
        else:
            self._state["seed"] = Ed25519PrivateKey.generate().private_bytes_raw().hex()
            self._keep()
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self._state["seed"]))
        self._typed_key = notes.COSIGNER_KEY + self._key.public_key().public_bytes_raw()

    @property
    def vkey(self) -> str:
        """The key as verifiers configure it."""
        key_id = notes.key_id(NAME, self._typed_key)
        return f"{NAME}+{key_id.hex()}+{notes.encoded(self._typed_key)}"

    def add_log(self, vkey: str) -> None:
        """Sign for this log from now on; raises ValueError."""
        name, typed_key = notes.key_of_log(vkey)
        known = self._state["logs"].get(name, {"size": 0, "root": ""})
        self._state["logs"][name] = known | {"key": typed_key.hex()}
        self._keep()

    def add_checkpoint(self, body: bytes) -> str:
        """The line of the cosignature; raises Refused, ValueError or IndexError."""
        old_size, proof, raw = _request(body)
        text, signatures = notes.note(raw)
        origin, number, encoded_root, *_ = text.decode().split("\n")
        size, root = int(number), notes.decoded(encoded_root)
        log = self._state["logs"].get(origin)
        if log is None:
            raise Refused(HTTPStatus.NOT_FOUND)
        if not notes.is_signed(text, signatures, origin, bytes.fromhex(log["key"])):
            raise Refused(HTTPStatus.FORBIDDEN)
        if old_size > size:
            raise Refused(HTTPStatus.BAD_REQUEST, "the old size is the larger one")
        if old_size != log["size"]:
            raise Refused(HTTPStatus.CONFLICT, f"{log['size']}\n", "text/x.tlog.size")
        if not notes.is_consistent(old_size, size, bytes.fromhex(log["root"]), root, proof):
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY)
        self._state["logs"][origin] = log | {"size": size, "root": root.hex()}
        self._keep()
        now = int(self._clock())
        signature = self._key.sign(b"cosignature/v1\ntime %d\n" % now + text)
        key_id = notes.key_id(NAME, self._typed_key)
        return f"— {NAME} {notes.encoded(key_id + now.to_bytes(8, 'big') + signature)}\n"

    def _keep(self) -> None:
        write_private(self._file, json.dumps(self._state, indent=1))


class CosignerService:
    """He, as a service of the local AWS that claims no operation of AWS."""

    name = "cosigner"
    targets: frozenset[str] = frozenset()

    def __init__(self, cosigner: Cosigner) -> None:
        self._cosigner = cosigner

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def handle(self, request: AwsRequest) -> AwsResponse:
        raise AwsError("UnknownOperationException", f"{request.action} is nothing that he does")

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:
        status, body_type = HTTPStatus.OK, "text/plain"
        try:
            said = self._answer(method, path, body)
        except Refused as refused:
            status, said, body_type = refused.status, refused.body, refused.body_type
        except (ValueError, IndexError) as error:
            status, said = HTTPStatus.BAD_REQUEST, str(error)
        return AwsResponse(status.value, {"content-type": body_type}, said.encode())

    def _answer(self, method: str, path: str, body: bytes) -> str:
        match method, path:
            case "GET", "vkey":
                return self._cosigner.vkey
            case "POST", "logs":
                self._cosigner.add_log(body.decode("ascii"))
                return ""
            case "POST", "add-checkpoint":
                return self._cosigner.add_checkpoint(body)
        raise Refused(HTTPStatus.NOT_FOUND)


def _request(body: bytes) -> tuple[int, list[bytes], bytes]:
    """Old size, proof and checkpoint; raises ValueError."""
    head, _, raw = body.partition(b"\n\n")
    first, *hashes = head.decode("ascii").split("\n")
    word, _, number = first.partition(" ")
    if word != "old" or len(hashes) > _MOST_HASHES:
        raise ValueError("it does not begin with an old size and at most 63 hashes")
    return int(number), [notes.decoded(each) for each in hashes], raw
