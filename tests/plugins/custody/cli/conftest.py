from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.audited import ANALYTICS, GOLD, RAW, A, Platform, honest_platform


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with honest_platform(tmp_path) as platform:
        yield platform


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the case of one landed file, that of a file of gold, and the keys.

    Making them takes longer than most checks of them do.
    """
    folder = tmp_path_factory.mktemp("cases")
    with honest_platform(folder) as platform:
        for name, uri in (("small", f"s3://{RAW}/{A}"), ("gold", f"s3://{ANALYTICS}/{GOLD}")):
            made = platform.custody("export", uri, "-o", folder / f"{name}.zip", "--with-bytes")
            assert made.status == 0
    return folder
