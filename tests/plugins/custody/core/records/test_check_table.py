"""What is kept of a checked record is all that was read of it."""

from __future__ import annotations

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st
from tests.support import strategies

from custody.core.records.check_table import from_row, to_row
from custody.core.records.checking import ReadEnvelope


@given(
    envelope=st.builds(
        ReadEnvelope,
        stored=strategies.versions,
        stored_at=strategies.instants,
        key_id=st.none() | strategies.texts,
        claim=st.none() | strategies.records | strategies.unreadable_records,
        trouble=st.none() | strategies.texts,
    )
)
def test_a_row_gives_back_the_envelope_it_was_made_of(envelope: ReadEnvelope) -> None:
    assert from_row(asdict(to_row(envelope))) == envelope
