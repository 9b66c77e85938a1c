"""What somebody typed cannot disguise itself, and a machine finds the document."""

import pytest

from custody.core.paging.form import document_of, shown


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("é.csv", '"é.csv"'),
        ("a\nwho      root", r'"a\u000awho      root"'),
        ('a" b\\', r'"a\" b\\"'),
        ("fdp.\u202evsc", r'"fdp.\u202evsc"'),
        ("a\u00a0\u200b\U000e0001", r'"a\u00a0\u200b\U000e0001"'),
        ("a\u3164\ufe0f\u2800\U000e0100", r'"a\u3164\ufe0f\u2800\U000e0100"'),
    ],
)
def test_what_is_shown(text, quoted):
    assert shown(text) == quoted


def test_a_message_without_a_document_is_refused():
    with pytest.raises(ValueError, match="page"):
        document_of("hello")
