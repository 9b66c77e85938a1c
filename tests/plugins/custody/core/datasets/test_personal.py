"""Tokens are HMAC-SHA-256, of each column by a key of its own."""

from __future__ import annotations

import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.contracts import FOLDER

from custody.core.datasets.columns import PERSONAL, Column
from custody.core.datasets.contracts import contract_of
from custody.core.datasets.personal import (
    column_keys,
    dataset_message,
    pads,
    personal_by_table,
    token,
)

CUSTOMERS = contract_of((FOLDER / "customers.odcs.yaml").read_text("utf-8"), "customers")

RFC_4231 = {
    # Test cases 1 and 2: the others have longer keys, or bytes that are no text.
    ("0b" * 20, "Hi There"): "b0344c61d8db38535ca8afceaf0bf12b",
    (b"Jefe".hex(), "what do ya want for nothing?"): "5bdcc146bf60754e6a042426089575c7",
}


@pytest.mark.parametrize("case", RFC_4231)
def test_a_token_is_the_first_half_of_what_the_standard_says(case: tuple[str, str]) -> None:
    key, value = case
    assert token(bytes.fromhex(key), value) == RFC_4231[case]


@given(st.binary(max_size=64), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_token_is_the_same_as_of_others(key: bytes, value: str) -> None:
    assert token(key, value) == hmac.new(key, value.encode(), "sha256").hexdigest()[:32]


def test_items_have_keys_of_their_own_and_share_that_of_the_row() -> None:
    """Else nobody could bring items and rows together."""
    orders = contract_of((FOLDER / "orders.odcs.yaml").read_text("utf-8"), "orders")
    (lines,) = orders.arrays

    def personal(*columns: Column) -> tuple[Column, ...]:
        return tuple(
            replace(one, classification=PERSONAL if one.type == "string" else "internal")
            for one in columns
        )

    array = replace(lines, columns=personal(*lines.columns))
    changed = replace(orders, columns=personal(*orders.columns), arrays=(array,))
    (key,) = orders.primary_key
    found = personal_by_table(changed)
    assert found.keys() == {"", "lines"}
    assert found["lines"] == {key: key, "product_id": "lines.product_id"}
    keys = column_keys(b"k" * 32, changed)
    assert keys["lines"][key] == keys[""][key]
    assert personal_by_table(replace(orders, columns=(), arrays=())) == {}


def test_a_key_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="65 bytes"):
        pads(bytes(65))


def test_one_value_has_another_token_in_another_column_and_dataset() -> None:
    """Who sees both tables learns nothing of the one from the other."""
    keys = column_keys(b"k" * 32, CUSTOMERS)[""]
    assert list(keys) == ["first_name", "last_name", "email"]
    assert len({token(key, "Maria") for key in keys.values()}) == 3
    assert column_keys(b"l" * 32, CUSTOMERS)[""]["email"] != keys["email"]
    assert dataset_message("customers") == b"custody personal data v1 customers"
    assert dataset_message("orders") != dataset_message("customers")
