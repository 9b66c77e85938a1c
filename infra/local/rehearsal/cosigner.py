"""Who cosigns the seal on this machine: somebody outside, whom the local AWS plays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

from custody.aws.kms.seal_key import fetch_seal_key
from custody.aws.seal.log import read_checkpoint
from custody.core.seal.layout import log_origin
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.quorum import Cosigned, cosigned
from rehearsal.machine import Machine

_PLACE = "/_local/cosigner"


def policy_parameter(machine: Machine) -> str:
    """The parameter of a deployment that asks for him, as the deploy command takes it."""
    vkey = _ask(machine, "vkey")
    return f"CosigningPolicy=witness local {vkey} {machine.endpoint}{_PLACE},quorum local"


def introduce(machine: Machine, kms: Any, settings: dict[str, str]) -> None:
    """Tell him of the log that he is to sign for."""
    origin = log_origin(settings["provenance_bucket"])
    key = fetch_seal_key(kms, settings["seal_key_arn"], origin)
    _ask(machine, "logs", key.vkey.encode())


def seen(s3: Any, settings: dict[str, str]) -> Cosigned:
    """What the signatures under the seal's checkpoint are worth now."""
    found = read_checkpoint(s3, settings["provenance_bucket"])
    policy = CosigningPolicy.parse(settings["cosigning_policy"])
    return cosigned(found.body if found else b"", policy, datetime.now(UTC))


def _ask(machine: Machine, what: str, body: bytes | None = None) -> str:
    request = Request(f"{machine.endpoint}{_PLACE}/{what}", data=body)  # noqa: S310 - loopback
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        text: str = answer.read().decode()
    return text
