"""The SQLite files in which CloudTrail keeps what it knows."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def open_database(path: Path, schema: str) -> sqlite3.Connection:
    """Open a file, making it and its tables where they are not there yet.

    SQLite's write-ahead log survives the death of the process; it is not synced to the platter,
    which only a loss of power would notice.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    database.executescript(schema)
    return database
