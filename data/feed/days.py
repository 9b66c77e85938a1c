"""The days of a sample: a folder for each, and the manifest beside them."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def days_from(first: dt.date, count: int) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range(count)]


def write_days(
    out: Path,
    head: dict[str, Any],
    days: Sequence[dt.date],
    names: Sequence[str],
    write_day: Callable[[Path, dt.date], dict[str, Any]],
) -> dict[str, Any]:
    """Write the files of each day under `out`, and their manifest, which is returned.

    Raises ValueError if `out` holds files that this run would not replace: the manifest would not
    tell of them.
    """
    ours = {out / f"dt={day}" / name for day in days for name in names}
    if strangers := sorted(set(out.glob("dt=*/*")) - ours):
        raise ValueError(f"{out} holds other files, such as {strangers[0]}: remove them first")
    told = {}
    for day in days:
        folder = out / f"dt={day}"
        folder.mkdir(parents=True, exist_ok=True)
        told[str(day)] = write_day(folder, day)
    manifest = {**head, "days": told}
    (out / "manifest.json").write_bytes(json.dumps(manifest, indent=2).encode() + b"\n")
    return manifest
