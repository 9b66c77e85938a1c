"""Spark's Python daemon, without Spark's own archives on its workers' path.

What is in them is installed as well. But before each task a worker calls
`importlib.invalidate_caches`, which since Python 3.10 reads every archive on the path anew. For
Spark's, with their thousands of names, that takes longer than most of our tasks do.
"""

import sys
from collections.abc import Iterable
from pathlib import PurePath

_SPARKS_OWN = ("pyspark.zip", "py4j-*-src.zip", "spark-core_*.jar")


def without_sparks_archives(path: Iterable[str]) -> list[str]:
    """The entries of an import path that are not what Spark puts there by itself."""
    return [entry for entry in path if not any(map(PurePath(entry).match, _SPARKS_OWN))]


if __name__ == "__main__":
    sys.path[:] = without_sparks_archives(sys.path)
    for archive in {*sys.path_importer_cache} - {*without_sparks_archives(sys.path_importer_cache)}:
        del sys.path_importer_cache[archive]

    from pyspark.daemon import manager

    manager()  # type: ignore[no-untyped-call]
