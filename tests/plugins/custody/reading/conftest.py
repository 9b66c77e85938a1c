from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.audited import Platform, honest_platform


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with honest_platform(tmp_path) as platform:
        yield platform
