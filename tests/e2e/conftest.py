"""One whole platform for the end-to-end tests: own ports, own home, own history."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.machine import REPOSITORY, Machine
from rehearsal.observing import OnCall
from rehearsal.platform import Platform
from rehearsal.runs import unpause


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A fresh platform, deployed, with its DAGs unpaused; its logs stay in build/e2e."""
    platform = Platform(Machine(Path(REPOSITORY / "build" / "e2e"), 4666, 8180))
    platform.reset()
    try:
        platform.start()
        unpause(platform, "provenance_ledger", say=print)
        # The story runs these; the daily audit stays off, so that it takes no time of theirs.
        for dag_id in ("medallion_customers", "provenance_reconcile"):
            platform.airflow.unpause(dag_id)
        yield platform
    finally:
        platform.stop()


@pytest.fixture(scope="session")
def on_call(platform: Platform) -> OnCall:
    return OnCall(platform)
