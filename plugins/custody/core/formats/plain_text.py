"""Which texts show all that is in them, so that no two of them look the same for what is unseen."""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(
    "["
    # Default_Ignorable_Code_Point, in DerivedCoreProperties.txt of the Unicode Character Database:
    # fillers, joiners, variation selectors and more. Python calls many of them printable.
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # Signs that are blank: the braille pattern without a dot, the note without a head.
    "\u2800\U0001d159"
    "]"
)


def is_plain(text: str) -> bool:
    """Whether every character of it is printable, and none is blank but the space."""
    return text.isprintable() and _UNSEEN.search(text) is None
