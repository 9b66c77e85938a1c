"""The DAGs load on no Amazon provider that takes a stopped Glue run for a success."""

import pytest
from infra.bundle.checking import OLDEST_AMAZON

from custody.tasks.provider import OLDEST, OldProvider, check_provider


@pytest.mark.parametrize("version", ["9.34.0", "9.9.0", "8.29.0", "9.35.0rc1"])
def test_an_older_provider_is_refused_in_one_line(version: str) -> None:
    with pytest.raises(OldProvider) as refused:
        check_provider(version)
    said = str(refused.value)
    assert said.startswith(f"the Amazon provider is {version} and must be 9.35 or later")
    assert "\n" not in said


@pytest.mark.parametrize("version", ["9.35.0", "9.39.0", "10.0.0"])
def test_a_newer_one_is_not(version: str) -> None:
    check_provider(version)


def test_the_bundle_is_checked_for_the_same_version() -> None:
    assert OLDEST.release == OLDEST_AMAZON
