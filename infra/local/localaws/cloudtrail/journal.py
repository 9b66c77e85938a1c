"""What CloudTrail knows and has not finished with, on disk before anybody is told.

One SQLite file. An event is in it before the S3 call that made it is answered, and it leaves in
the same transaction that puts it into a log file: so killing the process at any moment neither
loses an event nor delivers one twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from localaws.cloudtrail.database import open_database
from localaws.cloudtrail.recording.events import Record
from localaws.cloudtrail.recording.notifications import Notification

# Far more than can be under way at once.
_RECENT = 10_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    trail TEXT NOT NULL,
    due REAL NOT NULL,          -- epoch seconds: not delivered before
    own INTEGER NOT NULL,       -- made by CloudTrail's own deliveries
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_due ON event (trail, own, due);
CREATE TABLE IF NOT EXISTS recent_write (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    version_id TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS recent_write_object ON recent_write (bucket, key, version_id);
CREATE TABLE IF NOT EXISTS notification (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    event_name TEXT NOT NULL,
    parameters TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS log_file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    trail TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    kms_key_id TEXT,
    body BLOB,                  -- gzip; dropped once delivered
    sha256 TEXT NOT NULL,       -- of the uncompressed bytes
    oldest TEXT NOT NULL,       -- event times, ISO
    newest TEXT NOT NULL,
    events INTEGER NOT NULL,
    delivered_at REAL,
    digest INTEGER,             -- the digest that lists it
    UNIQUE (bucket, key)
);
CREATE TABLE IF NOT EXISTS digest (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    trail TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    kms_key_id TEXT,
    body BLOB NOT NULL,         -- gzip
    signature TEXT NOT NULL,    -- hex
    UNIQUE (bucket, key)
);
CREATE TABLE IF NOT EXISTS chain (
    trail TEXT PRIMARY KEY,
    window_start INTEGER NOT NULL,   -- epoch seconds: where the next digest begins
    previous_bucket TEXT,
    previous_key TEXT,
    previous_sha256 TEXT,
    previous_signature TEXT
);
"""


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event waiting for its log file."""

    seq: int
    record: Record


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file as planned: what will be, or is, in the bucket under `key`."""

    trail: str
    bucket: str
    key: str
    kms_key_id: str | None
    body: bytes
    sha256: str
    oldest: str
    newest: str
    events: int


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """A delivered log file that no digest lists yet."""

    id: int
    bucket: str
    key: str
    sha256: str
    oldest: str
    newest: str


@dataclass(frozen=True, slots=True)
class DigestFile:
    """A digest as planned; `signature` is hex."""

    trail: str
    bucket: str
    key: str
    kms_key_id: str | None
    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a trail's digest chain stands. The previous_* are None before its first digest."""

    trail: str
    window_start: int
    previous_bucket: str | None = None
    previous_key: str | None = None
    previous_sha256: str | None = None
    previous_signature: str | None = None


class Journal:
    """The journal of one local AWS. Not for use from more than one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._db = open_database(path, _SCHEMA)

    def close(self) -> None:
        """Close the file; the journal cannot be used afterwards."""
        self._db.close()

    def append(
        self,
        record: Record,
        trails: Iterable[str],
        due: Iterable[float],
        own: bool,
        notified: Iterable[Notification] = (),
    ) -> None:
        """Add one copy of `record` per trail and per time in `due` (epoch seconds).

        `notified` are the notifications of the call, which its caller has not been told of yet.
        """
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        times = list(due)
        rows = [(trail, moment, int(own), text) for trail in trails for moment in times]
        write = _write_of(record)
        request_id = record["requestID"]
        waiting = [
            (request_id, n.bucket, n.key, n.version_id, n.event_name, json.dumps(n.parameters))
            for n in notified
        ]
        with self._transaction() as db:
            db.executemany("INSERT INTO event (trail, due, own, record) VALUES (?, ?, ?, ?)", rows)
            if write is not None:
                seq = db.execute(
                    "INSERT INTO recent_write (bucket, key, version_id) VALUES (?, ?, ?)", write
                ).lastrowid
                db.execute("DELETE FROM recent_write WHERE seq <= ?", (int(seq or 0) - _RECENT,))

            db.executemany(
                "INSERT INTO notification"
                " (request_id, bucket, key, version_id, event_name, parameters)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                waiting,
            )

    def forget_notifications(self, request_id: str) -> None:
        """The call was answered: its notifications are on their way."""
        self._db.execute("DELETE FROM notification WHERE request_id = ?", (request_id,))

    def forget_all_notifications(self) -> None:
        """Recovery has dealt with the calls that were never answered."""
        self._db.execute("DELETE FROM notification")

    def notifications(self, bucket: str, key: str, version_id: str) -> list[Notification]:
        """The notifications of a version whose writer was never answered."""
        rows = self._db.execute(
            "SELECT event_name, parameters FROM notification"
            " WHERE bucket = ? AND key = ? AND version_id = ? ORDER BY seq",
            (bucket, key, version_id),
        )
        return [Notification(bucket, key, name, json.loads(text)) for name, text in rows]

    def has_write(self, bucket: str, key: str, version_id: str) -> bool:
        """Whether one of the latest writes of objects made or removed this version."""
        row = self._db.execute(
            "SELECT 1 FROM recent_write WHERE bucket = ? AND key = ? AND version_id = ? LIMIT 1",
            (bucket, key, version_id),
        ).fetchone()
        return row is not None

    def trails_due(self, now: float) -> list[str]:
        """Trails with an event to deliver.

        CloudTrail's own deliveries are S3 calls too and are logged, but they never cause a
        delivery: each would cause the next for ever. They ride along with the next real event.
        """
        rows = self._db.execute(
            "SELECT DISTINCT trail FROM event WHERE own = 0 AND due <= ? ORDER BY trail", (now,)
        )
        return [trail for (trail,) in rows]

    def due(self, trail: str, now: float, limit: int) -> list[PendingEvent]:
        """A trail's due events, oldest first, at most `limit`."""
        rows = self._db.execute(
            "SELECT seq, record FROM event WHERE trail = ? AND due <= ? ORDER BY due, seq LIMIT ?",
            (trail, now, limit),
        )
        return [PendingEvent(seq, json.loads(record)) for seq, record in rows]

    def discard(self, trail: str) -> int:
        """Forget a trail's waiting events and files; answers how many events that were."""
        with self._transaction() as db:
            forgotten = db.execute("DELETE FROM event WHERE trail = ?", (trail,)).rowcount
            db.execute("DELETE FROM log_file WHERE trail = ? AND delivered_at IS NULL", (trail,))
        return forgotten

    def plan_file(self, file: LogFile, events: Iterable[PendingEvent]) -> None:
        """Move events from waiting into a log file: they are in the one or in the other."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO log_file (trail, bucket, key, kms_key_id, body, sha256, oldest,"
                " newest, events) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    file.trail, file.bucket, file.key, file.kms_key_id, file.body, file.sha256,
                    file.oldest, file.newest, file.events,
                ),
            )  # fmt: skip
            db.executemany("DELETE FROM event WHERE seq = ?", [(event.seq,) for event in events])

    def planned_files(self) -> list[LogFile]:
        """Files not yet in their bucket, in the order they were planned."""
        rows = self._db.execute(
            "SELECT trail, bucket, key, kms_key_id, body, sha256, oldest, newest, events"
            " FROM log_file WHERE delivered_at IS NULL ORDER BY id"
        )
        return [LogFile(*row) for row in rows]

    def file_delivered(self, file: LogFile, at: float) -> None:
        """Note that a file is in its bucket."""
        self._db.execute(
            "UPDATE log_file SET delivered_at = ?, body = NULL WHERE bucket = ? AND key = ?",
            (at, file.bucket, file.key),
        )

    def undigested(self, trail: str, until: float) -> list[DeliveredFile]:
        """Files delivered up to `until` that no digest lists yet, in order of delivery."""
        rows = self._db.execute(
            "SELECT id, bucket, key, sha256, oldest, newest FROM log_file"
            " WHERE trail = ? AND digest IS NULL AND delivered_at <= ? ORDER BY delivered_at, id",
            (trail, until),
        )
        return [DeliveredFile(*row) for row in rows]

    def forget_undigested(self, trail: str) -> None:
        """Files delivered while nobody validates the trail are in no digest."""
        self._db.execute(
            "DELETE FROM log_file WHERE trail = ? AND digest IS NULL AND delivered_at IS NOT NULL",
            (trail,),
        )

    def chain(self, trail: str) -> Chain | None:
        """Where a trail's digest chain stands; None when it has none."""
        row = self._db.execute(
            "SELECT trail, window_start, previous_bucket, previous_key, previous_sha256,"
            " previous_signature FROM chain WHERE trail = ?",
            (trail,),
        ).fetchone()
        return Chain(*row) if row else None

    def chained_trails(self) -> list[str]:
        """Trails that have a digest chain."""
        return [trail for (trail,) in self._db.execute("SELECT trail FROM chain ORDER BY trail")]

    def start_chain(self, trail: str, window_start: int) -> None:
        """Begin a chain: its first digest has no previous one."""
        self._db.execute(
            "INSERT INTO chain (trail, window_start) VALUES (?, ?)", (trail, window_start)
        )

    def end_chain(self, trail: str) -> None:
        """End a chain: the trail's next digest, if any, starts a new one."""
        self._db.execute("DELETE FROM chain WHERE trail = ?", (trail,))

    def plan_digest(self, digest: DigestFile, files: Iterable[DeliveredFile], after: Chain) -> None:
        """Add a digest, its files and the chain as it stands after it, together."""
        with self._transaction() as db:
            cursor = db.execute(
                "INSERT INTO digest (trail, bucket, key, kms_key_id, body, signature)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    digest.trail, digest.bucket, digest.key, digest.kms_key_id, digest.body,
                    digest.signature,
                ),
            )  # fmt: skip
            db.executemany(
                "UPDATE log_file SET digest = ? WHERE id = ?",
                [(cursor.lastrowid, file.id) for file in files],
            )
            db.execute(
                "UPDATE chain SET window_start = ?, previous_bucket = ?, previous_key = ?,"
                " previous_sha256 = ?, previous_signature = ? WHERE trail = ?",
                (
                    after.window_start, after.previous_bucket, after.previous_key,
                    after.previous_sha256, after.previous_signature, after.trail,
                ),
            )  # fmt: skip

    def planned_digests(self) -> list[DigestFile]:
        """Digests not yet in their bucket, in the order of their chains."""
        rows = self._db.execute(
            "SELECT trail, bucket, key, kms_key_id, body, signature FROM digest ORDER BY id"
        )
        return [DigestFile(*row) for row in rows]

    def digest_delivered(self, digest: DigestFile) -> None:
        """Note that a digest is in its bucket; it and the files it lists need no more care."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT id FROM digest WHERE bucket = ? AND key = ?", (digest.bucket, digest.key)
            ).fetchone()
            db.execute("DELETE FROM log_file WHERE digest = ?", row)
            db.execute("DELETE FROM digest WHERE id = ?", row)

    def counts(self) -> dict[str, int]:
        """How much is waiting: events, those of our own deliveries, files and digests."""
        queries: dict[str, str] = {
            "pending_events": "SELECT count(*) FROM event WHERE own = 0",
            "pending_own_events": "SELECT count(*) FROM event WHERE own = 1",
            "planned_files": "SELECT count(*) FROM log_file WHERE delivered_at IS NULL",
            "planned_digests": "SELECT count(*) FROM digest",
        }
        return {name: self._db.execute(sql).fetchone()[0] for name, sql in queries.items()}

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


def _write_of(record: Record) -> tuple[str, str, str] | None:
    parameters = record["requestParameters"]
    if (
        record["eventCategory"] != "Data"
        or record["readOnly"]
        or "errorCode" in record
        or "key" not in parameters
    ):
        return None
    version_id = (record["responseElements"] or {}).get("x-amz-version-id", "null")
    return parameters["bucketName"], parameters["key"], version_id


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK when the block raises."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, failure: type[BaseException] | None, *_rest: object) -> None:
        self._db.execute("COMMIT" if failure is None else "ROLLBACK")
