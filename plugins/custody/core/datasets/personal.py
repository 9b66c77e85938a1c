"""Personal data: what stands for it outside bronze.

Of a column that a contract classifies as `pii`, silver has tokens: of the HMAC-SHA-256 of each
value in UTF-8, under a key of the column's own, the first half (RFC 2104, section 5) in hex digits.
Rows of one person can be brought together by them, and who has no key learns no value by trying.

A key of a column is the HMAC-SHA-256 of the column's name under the dataset's key, and that is what
a KMS key of kind HMAC, which nobody can read, makes of the dataset's name. Nothing is kept, and a
run that is repeated makes the same tokens.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from custody.core.datasets.contracts import Contract

TOKEN_LENGTH: Final = 32
"""Hex digits of a token."""

_BLOCK: Final = 64
"""Bytes that SHA-256 works on at once, to which a key of HMAC is filled up."""


def personal_by_table(contract: Contract) -> dict[str, dict[str, str]]:
    """The columns of each table of silver that are personal data, and what their key is made of: of
    silver itself by "", of the items of an array by its name. Empty if there are none."""
    own = {column.name: column.name for column in contract.columns if column.is_personal}
    key = {name: name for name in contract.primary_key if name in own}
    found = {"": own}
    for array in contract.arrays:
        items = (column.name for column in array.columns if column.is_personal)
        found[array.name] = key | {name: f"{array.name}.{name}" for name in items}
    return {table: columns for table, columns in found.items() if columns}


def dataset_message(dataset: str) -> bytes:
    """What the KMS key makes the dataset's key of."""
    return f"custody personal data v1 {dataset}".encode()


def column_keys(dataset_key: bytes, contract: Contract) -> dict[str, dict[str, bytes]]:
    """The keys of the columns of `personal_by_table`."""
    return {
        table: {
            column: hmac.digest(dataset_key, made_of.encode(), "sha256")
            for column, made_of in columns.items()
        }
        for table, columns in personal_by_table(contract).items()
    }


def pads(key: bytes) -> tuple[bytes, bytes]:
    """What is hashed before a value, and before its hash: RFC 2104's `ipad` and `opad` with a key
    of 64 bytes or fewer. For those who have SHA-256 and no HMAC."""
    filled = key.ljust(_BLOCK, b"\0")
    if len(filled) != _BLOCK:
        raise ValueError(f"a key of {len(key)} bytes would have to be hashed first")
    inner, outer = (bytes(byte ^ pad for byte in filled) for pad in (0x36, 0x5C))
    return inner, outer


def token(key: bytes, value: str) -> str:
    """What stands for a value."""
    inner, outer = pads(key)
    hashed = hashlib.sha256(inner + value.encode()).digest()
    return hashlib.sha256(outer + hashed).hexdigest()[:TOKEN_LENGTH]
