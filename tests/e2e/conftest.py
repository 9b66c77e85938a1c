"""One whole platform for each end-to-end story: own ports, own home, own history."""

from collections.abc import Iterator

import added
import pytest
from auditor import make_role

from rehearsal.machine import REPOSITORY, Machine
from rehearsal.observing import OnCall
from rehearsal.platform import Platform
from rehearsal.runs import follow, switch_on, switch_on_from_now


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """A fresh platform, deployed, with its DAGs unpaused; its logs stay in build/e2e.

    It runs and deploys the repository as it would be with one dataset more.
    """
    home = REPOSITORY / "build" / "e2e"
    repository = added.repository_with_it(home / "repository")
    platform = Platform(Machine(home, 4666, 8180, repository))
    platform.reset()
    try:
        platform.start()
        first = switch_on(platform, "provenance_ledger")
        for dag_id in sorted(platform.dags - {"provenance_ledger"}):
            switch_on_from_now(platform, dag_id)
        follow(platform, "provenance_ledger", [first], say=print)
        yield platform
    finally:
        platform.stop()


@pytest.fixture(scope="module")
def on_call(platform: Platform) -> OnCall:
    return OnCall(platform)


@pytest.fixture(scope="module")
def auditor(platform: Platform) -> None:
    """The auditor's role can be taken; a restart of AWS forgets profiles that it did not make."""
    make_role(platform)
