"""Publications in the analytics bucket: written once, in order, and read back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from custody.aws.s3.errors import ObjectWithheld
from custody.aws.s3.listing import list_keys
from custody.aws.s3.reading import read_current
from custody.aws.s3.write_once import put_if_absent
from custody.core.formats.untrusted import MalformedInput
from custody.core.publications.model import (
    MAX_PUBLICATION_BYTES,
    PUBLICATION_PREFIX,
    Asked,
    Publication,
    Shown,
    Why,
    folder_of,
    following,
    parse,
    place_of,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_TRIES: Final = 10
"""How many others may publish the same day between a look and a write, each of them once."""


class Overtaken(Exception):
    """Others published the same day again and again; another try may succeed."""


def publish(
    s3: S3Client,
    bucket: str,
    dataset: str,
    dt: str,
    *,
    why: Why,
    asked: Asked,
    shown: Sequence[Shown],
) -> Publication:
    """Publish a day; returns the publication of it that counts then.

    Whoever published it in the meantime is overruled, by the next number. Nothing is written where
    this very request was written before, or where the day is shown so already: but a rollback to
    what was built is a word of its own, as the day stays so then. Raises `Overtaken`,
    `ValueError` as `following` does, or what botocore raises.
    """
    for _ in range(_TRIES):
        numbers = _numbers(s3, bucket, dataset, dt)
        keys = sorted(numbers.values())
        known = [found for key in keys if (found := _read(s3, bucket, key))]
        if known and (
            known[-1].is_as_wanted(why, shown)
            or any(one.answers(why, asked, shown) for one in known)
        ):
            return known[-1]
        made = following(
            max(numbers, default=0),
            dataset=dataset,
            dt=dt,
            at=datetime.now(UTC),
            why=why,
            asked=asked,
            shown=shown,
        )
        if put_if_absent(s3, bucket, made.key, made.to_bytes()):
            return made
    raise Overtaken(f"{dataset}, {dt}: others published it {_TRIES} times meanwhile")


def latest(s3: S3Client, bucket: str, dataset: str, dt: str) -> Publication | None:
    """The publication of a day that counts; None if it has none. Raises what botocore raises."""
    return last_of(s3, bucket, _numbers(s3, bucket, dataset, dt).values())


def last_of(s3: S3Client, bucket: str, keys: Iterable[str]) -> Publication | None:
    """The publication that counts among those of a day, by their keys; None if none of them is one.

    Raises what botocore raises.
    """
    return next(publications_at(s3, bucket, keys), None)


def publications_at(s3: S3Client, bucket: str, keys: Iterable[str]) -> Iterator[Publication]:
    """The publications of a day, by their keys, the latest first; raises what botocore raises."""
    read = (_read(s3, bucket, key) for key in sorted(keys, reverse=True))
    return (found for found in read if found is not None)


def published_days(s3: S3Client, bucket: str, dataset: str) -> dict[str, list[str]]:
    """The days of a dataset that were published, each with the keys of its publications; raises
    what botocore raises."""
    days: dict[str, list[str]] = {}
    for key in list_keys(s3, bucket, f"{PUBLICATION_PREFIX}{dataset}/"):
        place = place_of(key)
        if place is not None:
            days.setdefault(place[1], []).append(key)
    return days


def publications_of(
    s3: S3Client, bucket: str, dataset: str, dt: str, *, most: int
) -> list[Publication]:
    """The last `most` publications of a day, the latest first; raises what botocore raises."""
    keys = sorted(_numbers(s3, bucket, dataset, dt).values(), reverse=True)[:most]
    return [found for key in keys if (found := _read(s3, bucket, key)) is not None]


def published_since(s3: S3Client, bucket: str, dataset: str, since: datetime) -> list[str]:
    """The days of a dataset that were published since then; raises what botocore raises."""
    days = set()
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=f"{PUBLICATION_PREFIX}{dataset}/"
    )
    for page in pages:
        for item in page.get("Contents", ()):
            place = place_of(item["Key"])
            if place is not None and item["LastModified"] >= since:
                days.add(place[1])
    return sorted(days)


def _numbers(s3: S3Client, bucket: str, dataset: str, dt: str) -> dict[int, str]:
    """The keys of a day's publications by their numbers."""
    keys = list_keys(s3, bucket, folder_of(dataset, dt))
    return {place[2]: key for key in keys if (place := place_of(key)) is not None}


def _read(s3: S3Client, bucket: str, key: str) -> Publication | None:
    """None for what is none and stands in nobody's way: who wrote it is for the ledger to say."""
    try:
        found = read_current(s3, bucket, key, max_bytes=MAX_PUBLICATION_BYTES)
        return None if found is None else parse(found.body, key)
    except (MalformedInput, ObjectWithheld) as error:
        log.warning("s3://%s/%s is no publication: %s", bucket, key, error)
        return None
