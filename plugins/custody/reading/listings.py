"""What a bucket holds, as `aws s3api list-object-versions` told when it was copied."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Final

from custody.aws.s3.listing import StoredVersion
from custody.core.formats.s3_fields import object_key
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.objects import ObjectVersion
from custody.reading.errors import CannotCheck

_MAX_LISTING_BYTES: Final = 4 * 1024 * 1024 * 1024
_MAX_LISTED: Final = 100_000_000


@dataclass(frozen=True)
class Listing:
    """The versions of a bucket: the current one of each key, and the keys of those that are
    overwritten or hidden by a delete marker, one for each, in order."""

    latest: Mapping[str, StoredVersion]
    others: tuple[str, ...]

    def at(self, key: str) -> StoredVersion | None:
        """The current version of an object."""
        return self.latest.get(key)

    def current(self, prefix: str) -> Iterator[StoredVersion]:
        """The current version of every object under a prefix, in the order of the keys."""
        return (self.latest[key] for key in _beginning(self._keys, prefix))

    def superseded(self, prefix: str) -> int:
        """How many other versions there are under a prefix."""
        return sum(1 for _ in _beginning(self.others, prefix))

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return tuple(sorted(self.latest))


def _beginning(keys: tuple[str, ...], prefix: str) -> Iterator[str]:
    first = bisect_left(keys, prefix)
    return takewhile(lambda key: key.startswith(prefix), (keys[n] for n in range(first, len(keys))))


def read_listing(path: Path, bucket: str) -> Listing:
    """Read the listing of a bucket.

    Raises `CannotCheck` if it is missing, not what the command prints, or cut off.
    """
    if not path.is_file():
        raise CannotCheck(
            f"{path} is missing: a record is about one version, and the files do not say which "
            "they are, nor which are missing; write there, before you copy, what aws s3api "
            f"list-object-versions --bucket {bucket} prints"
        )
    try:
        document = load_json(path.read_bytes(), what=str(path), max_bytes=_MAX_LISTING_BYTES)
        return _listing(Fields.of(document, str(path)), bucket)
    except MalformedInput as error:
        raise CannotCheck(f"{error}: keep what list-object-versions prints") from error


def _listing(fields: Fields, bucket: str) -> Listing:
    if fields.has("NextToken") or fields.values.get("IsTruncated") is True:
        raise MalformedInput(fields.path, "is not all of it: there are more versions")
    if fields.values.get("Prefix"):
        raise MalformedInput(fields.path, "is of a prefix only")
    latest, others = dict[str, StoredVersion](), list[str]()
    items = fields.items("Versions", max_items=_MAX_LISTED) if fields.has("Versions") else []
    for number, item in enumerate(items):
        version = Fields.of(item, f"{fields.where('Versions')}[{number}]")
        key = object_key(version, "Key")
        if version.values.get("IsLatest") is not True:
            others.append(key)
            continue
        if key in latest:
            raise MalformedInput(version.path, f"is a second current version of {key[:200]!r}")
        latest[key] = StoredVersion(
            ObjectVersion(bucket, key, version.text("VersionId")),
            _time(version, "LastModified"),
            etag=version.text("ETag").strip('"'),
            size=version.count("Size"),
        )
    return Listing(latest, tuple(sorted(others)))


def _time(fields: Fields, name: str) -> datetime:
    """A time as the AWS CLI writes it, in any zone but with one."""
    text = fields.text(name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput(fields.where(name), str(error)) from error
    if moment.tzinfo is None:
        raise MalformedInput(fields.where(name), f"{text[:60]!r} has no time zone")
    return moment
