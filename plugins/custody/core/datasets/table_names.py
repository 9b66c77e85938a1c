"""What a table is called, by the folder that it lies in."""

from __future__ import annotations

from typing import Final

_BESIDE_SILVER: Final = ("files", "quarantine")


def table_in(folder: str) -> str:
    """The name of the table that lies in a folder of its layer's bucket."""
    area, _, name = folder.partition("/")
    return f"silver_{name}_{area}" if area in _BESIDE_SILVER else f"{area}_{name}"
