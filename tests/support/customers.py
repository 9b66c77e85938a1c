"""The data set `customers` in tests: its contract, and files of a few rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from custody.core.datasets.contracts import Contract, contract_of

CONTRACT = Path(__file__).parents[2] / "include" / "contracts" / "customers.odcs.yaml"
DT = date(2026, 11, 1)
PREFIX = f"incoming/customers/dt={DT}/"
HEADER = (
    "customer_id,first_name,last_name,email,country,signup_date,last_login,total_orders,"
    "total_spent_usd,is_premium"
)
GOOD = "C{0:09d},Zoë,O'Brien,zoe@shop.example,NL,2024-05-17,2026-10-31T17:05:09Z,12,1034.50,true"


@pytest.fixture(scope="session")
def contract() -> Contract:
    return contract_of(CONTRACT.read_text(encoding="utf-8"), CONTRACT.name)


def csv(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    return end.join([header, *rows, ""]).encode()


def good(number: int = 1, **changes: str) -> str:
    """A row the contract accepts, with some fields replaced."""
    values = dict(zip(HEADER.split(","), GOOD.format(number).split(","), strict=True))
    return ",".join({**values, **changes}.values())


BROKEN_FILES = {
    "empty": (b"", "file.empty"),
    "header": (csv(good(), header=HEADER.replace("email", "mail")), "file.header"),
    "case": (csv(good(), header=HEADER.upper()), "file.header"),
    "byte order mark": (csv(good(), header="\ufeff" + HEADER), "file.header"),
    "blank first line": (b"\n" + csv(good()), "file.header"),
    "zip": (b"PK\x03\x04\x00\x00" + bytes(range(256)), "file.not_csv"),
    "nul at the end": (csv(good()) + b"\0", "file.not_csv"),
    "latin-1": (csv(good(first_name="Zoë")).decode().encode("latin-1"), "file.not_csv"),
    "cut character": (csv(good()) + "ë".encode()[:1], "file.not_csv"),
}
