"""What became of a day's rows, as the run that read them states it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.lineages import LINEAGE

from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.account import ACCOUNT_NAME, DayAccount, account_of
from custody.core.lineage.model import HashedObject
from custody.objects import ObjectVersion

ACCOUNT = DayAccount(3, 1, 10, 7, 1, 2, {"row.malformed": 2, "file.encoding": 1})


def test_it_is_read_as_it_was_written() -> None:
    assert DayAccount.parse(ACCOUNT.to_bytes()) == ACCOUNT
    assert ACCOUNT.is_balanced
    assert not replace(ACCOUNT, landed_rows=11).is_balanced


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        ACCOUNT.to_bytes().replace(b"10", b"-1"),
        ACCOUNT.to_bytes().replace(b"10", b'"10"'),
        ACCOUNT.to_bytes().replace(b": 2}", b": [2]}"),
        b" " * 2_000_000,
    ],
)
def test_what_is_none_is_refused(body: bytes) -> None:
    assert body != ACCOUNT.to_bytes()
    with pytest.raises(MalformedInput):
        DayAccount.parse(body)


def test_it_is_among_the_outputs_of_its_run() -> None:
    key = f"files/customers/dt=2026-11-01/run=r/{ACCOUNT_NAME}"
    kept = HashedObject(ObjectVersion("processed", key, "v"), "d1" * 32)
    assert account_of(LINEAGE) is None
    assert account_of(replace(LINEAGE, outputs=(*LINEAGE.outputs, kept))) == kept
