"""Who may upload which dataset: contracts name the uploaders, a deployment knows their ARNs.

A contract's role is called as the IAM user or role that has it: as the last part of its ARN.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

UPLOADER: Final = re.compile(r"[A-Za-z0-9+.@_-]{1,64}")
"""What an uploader may be called: as IAM allows, but for what separates one from another below."""

SMOKE: Final = "smoke"
"""The dataset that no contract reads, of the files with which a deployment is tried. Every uploader
may upload it."""

SMOKE_BODY: Final = b"smoke\n"
"""What such a file holds."""

Uploads = Mapping[str, tuple[str, ...]]
"""The uploaders of each dataset, by name."""

_DATASET: Final = re.compile(r"[a-z][a-z0-9_]*")


def folder_of(dataset: str) -> str:
    """What the keys of a dataset's files begin with, in bronze."""
    return f"incoming/{dataset}/"


def uploader_of(arn: str) -> str:
    """The name of a user or role."""
    return arn.rpartition("/")[2]


def arns_of(uploaders: Iterable[str], arns: Iterable[str]) -> tuple[str, ...]:
    """Those of the ARNs that are an uploader's."""
    named = frozenset(uploaders)
    return tuple(arn for arn in arns if uploader_of(arn) in named)


def datasets_by_uploaders(uploads: Uploads) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The datasets that the same uploaders have, each in the order of its name."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for dataset in sorted(uploads):
        found[tuple(sorted(uploads[dataset]))].append(dataset)
    return {uploaders: tuple(datasets) for uploaders, datasets in found.items()}


def write_uploads(uploads: Uploads) -> str:
    """The uploads as one setting: `<dataset> …=<uploader> …,…`."""
    return ",".join(
        f"{' '.join(datasets)}={' '.join(uploaders)}"
        for uploaders, datasets in datasets_by_uploaders(uploads).items()
    )


def read_uploads(text: str) -> Uploads:
    """The uploads that such a setting says; none if it is empty. Raises ValueError for another."""
    found: dict[str, tuple[str, ...]] = {}
    for item in filter(None, text.split(",")):
        datasets, _, uploaders = item.partition("=")
        names = tuple(uploaders.split(" "))
        if not all(map(UPLOADER.fullmatch, names)):
            raise ValueError(f"{item[:200]!r}: expected `<dataset> …=<uploader> …`")
        for dataset in datasets.split(" "):
            if not _DATASET.fullmatch(dataset) or dataset in found:
                raise ValueError(f"{item[:200]!r}: {dataset[:60]!r} is no dataset, or one twice")
            found[dataset] = names
    return found
