"""The state of each page, kept in the analytics bucket; nothing in it is ever deleted.

`pages/findings/<fingerprint>.json` holds the state of the page about a finding (a
`custody.core.paging.findings.PageState`). `pages/<finder>/dt=…/hour=…/<fingerprint>` says who
found it (only the finder can tell that it no longer holds: the table its findings stand in) and in
which hour the finding lies, so that the pages of a window are found by listing its hours or days.
`pages/queues/<queue>.json` says whether the page about a queue is open, `pages/dags/<DAG>.json`
whether the one is that runs of a DAG fail.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from custody.aws.s3.errors import ObjectWithheld
from custody.aws.s3.listing import list_keys
from custody.aws.s3.reading import read_current
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.paging.findings import PageState

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_MAX_STATE_BYTES: Final = 1024 * 1024


def page_states(s3: S3Client, bucket: str, fingerprints: Iterable[str]) -> dict[str, PageState]:
    """The state of each finding's page, by fingerprint; findings never paged are left out.

    A state that cannot be read counts as never paged: better to page twice than never.
    """
    states = {}
    for fingerprint in dict.fromkeys(fingerprints):
        state = _read(s3, bucket, fingerprint)
        if state is not None:
            states[fingerprint] = state
    return states


def open_pages(
    s3: S3Client, bucket: str, finder: str, partitions: Iterable[Sequence[str]]
) -> Iterator[PageState]:
    """The open pages about what `finder` found in these hours (`dt`, `hour`) or days
    (`dt`)."""
    for partition in partitions:
        for key in list_keys(s3, bucket, _folder(finder, partition)):
            folder, _, fingerprint = key.rpartition("/")
            state = _read(s3, bucket, fingerprint)
            # Found again in another hour, it is to be resolved there.
            if (
                state is not None
                and state.is_open
                and f"{folder}/" == _folder(finder, state.finding.partition)
            ):
                yield state


def told_pages(
    s3: S3Client, bucket: str, finder: str, partitions: Iterable[Sequence[str]]
) -> Iterator[str]:
    """The fingerprints of what people were told that `finder` found in these hours or days, or in
    any (`()`), whether it is open or resolved."""
    for partition in partitions:
        for key in list_keys(s3, bucket, _folder(finder, partition)):
            yield key.rpartition("/")[2]


def remember(s3: S3Client, bucket: str, finder: str, states: Iterable[PageState]) -> None:
    """Remember what people know now.

    Call it after the page is out: a crash in between pages twice, which is better than never. The
    hour is written first: a state whose hour is not listed could not be resolved.
    """
    for state in states:
        finding = state.finding
        if state.is_open:
            s3.put_object(
                Bucket=bucket, Key=_folder(finder, finding.partition) + finding.fingerprint
            )
        s3.put_object(
            Bucket=bucket,
            Key=_state_key(finding.fingerprint),
            Body=json.dumps(state.to_json(), ensure_ascii=False).encode("utf-8"),
            ContentType="application/json",
        )


def is_queue_page_open(s3: S3Client, bucket: str, queue: str) -> bool:
    """Whether people know of what lies in `queue`; not, if the state cannot be read."""
    return _is_open(s3, bucket, _queue_key(queue))


def remember_queue_page(s3: S3Client, bucket: str, queue: str, *, is_open: bool) -> None:
    """Remember what people know of `queue` now; call it after the page is out."""
    _remember_open(s3, bucket, _queue_key(queue), is_open)


def is_run_page_open(s3: S3Client, bucket: str, dag_id: str) -> bool:
    """Whether people know that runs of a DAG fail; not, if the state cannot be read."""
    return _is_open(s3, bucket, _dag_key(dag_id))


def remember_run_page(s3: S3Client, bucket: str, dag_id: str, *, is_open: bool) -> None:
    """Remember what people know of a DAG's runs now; call it after the page is out."""
    _remember_open(s3, bucket, _dag_key(dag_id), is_open)


def _is_open(s3: S3Client, bucket: str, key: str) -> bool:
    state = _object(s3, bucket, key)
    if state is None:
        return False
    try:
        return Fields.of(state, key).values.get("open") is True
    except MalformedInput as error:
        log.warning("not the state of a page, taken for never paged: s3://%s: %s", bucket, error)
        return False


def _remember_open(s3: S3Client, bucket: str, key: str, is_open: bool) -> None:
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=json.dumps({"open": is_open}).encode("utf-8"),
        ContentType="application/json",
    )


def _folder(finder: str, partition: Sequence[str]) -> str:
    names = ("dt", "hour")[: len(partition)]
    return "".join(
        [f"pages/{finder}/", *(f"{n}={v}/" for n, v in zip(names, partition, strict=True))]
    )


def _state_key(fingerprint: str) -> str:
    return f"pages/findings/{fingerprint}.json"


def _queue_key(queue: str) -> str:
    return f"pages/queues/{queue}.json"


def _dag_key(dag_id: str) -> str:
    return f"pages/dags/{dag_id}.json"


def _read(s3: S3Client, bucket: str, fingerprint: str) -> PageState | None:
    value = _object(s3, bucket, _state_key(fingerprint))
    if value is None:
        return None
    try:
        state = PageState.from_json(value)
    except ValueError as error:
        log.warning("not the state of a page, taken for never paged: s3://%s: %s", bucket, error)
        return None
    return state if state.finding.fingerprint == fingerprint else None


def _object(s3: S3Client, bucket: str, key: str) -> object:
    """The JSON in an object; None if there is none, no JSON in it, or if S3 does not hand it out
    for its key."""
    try:
        found = read_current(s3, bucket, key, max_bytes=_MAX_STATE_BYTES)
        if found is None:
            return None
        return load_json(found.body, what=key, max_bytes=_MAX_STATE_BYTES)
    except (ObjectWithheld, ValueError) as error:
        log.warning("not the state of a page, taken for never paged: s3://%s: %s", bucket, error)
        return None
