"""What was built of a day: by the runs' own signed statements, and still as these have it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.lineage.keeping import reader
from custody.aws.publications.expiring import is_stated
from custody.aws.s3.listing import list_keys
from custody.aws.s3.reading import current_version_id
from custody.core.lineage.model import HashedObject, Lineage, Run, run_of
from custody.core.lineage.trust import BadLineage, NoLineage, Trust, lineage_of_run
from custody.core.publications.choosing import DayOfTable, NotBuilt, to_show
from custody.core.publications.model import Shown

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Builders:
    """Who builds: the KMS key that signs what runs state and those that did before (separated by
    commas), the bucket where that lies, and the ARNs of the jobs."""

    key_arn: str
    former_keys: str
    provenance_bucket: str
    silver_job: str
    gold_job: str

    @property
    def keys(self) -> tuple[str, ...]:
        """All of the keys."""
        return (self.key_arn, *filter(None, self.former_keys.split(",")))


def built(
    s3: S3Client,
    kms: KMSClient,
    builders: Builders,
    dataset: str,
    contract_version: str,
    run: Run,
    tables: Sequence[DayOfTable],
) -> tuple[Shown, ...]:
    """The runs to show with a run of silver: `custody.core.publications.choosing.to_show`.

    Raises `NotBuilt` also where a statement is not to be believed, or is not of what lies there
    now, and for a run that expires; and what botocore raises.
    """
    _check_stays(s3, builders, run)  # what has expired already lacks all else, too
    keys = fetch_public_keys(kms, builders.keys)
    read = reader(s3, builders.provenance_bucket)

    def stated(run: Run, job: str) -> Lineage:
        try:
            return lineage_of_run(run, read, Trust(keys, frozenset({job})))
        except (NoLineage, BadLineage) as error:
            raise NotBuilt(str(error)) from error

    def finished(table: DayOfTable) -> list[Lineage]:
        """What the runs of a gold table state that stated anything to be believed, and stay."""
        bucket, _, prefix = table.location.removeprefix("s3://").partition("/")
        found = []
        runs = {run_of(key) for key in list_keys(s3, bucket, prefix)}
        for each in filter(None, runs):
            if is_stated(s3, builders.provenance_bucket, each):
                continue
            try:
                found.append(stated(each, builders.gold_job))
            except NotBuilt:
                continue  # it failed, or is at work
        return found

    silver = stated(run, builders.silver_job)
    golds = {table.table: finished(table) for table in tables if table.gold is not None}
    shown = to_show(dataset, contract_version, tables, silver, golds)
    runs = {each.run for each in shown}
    stating = [silver, *(one for some in golds.values() for one in some if one.run.id in runs)]
    _check_held(s3, shown, [output for one in stating for output in one.outputs])
    for each in sorted(runs):
        _check_stays(s3, builders, Run(run.dt, each))
    return shown


def _check_stays(s3: S3Client, builders: Builders, run: Run) -> None:
    """Raise `NotBuilt` for a run that expires."""
    if is_stated(s3, builders.provenance_bucket, run):
        raise NotBuilt(f"run {run.id} of {run.dt} expires, and is not shown again: build the day")


def _check_held(s3: S3Client, shown: Sequence[Shown], outputs: Sequence[HashedObject]) -> None:
    """Raise `NotBuilt` if anything else lies where readers would look than these outputs."""
    stated = {item.version.uri: item.version for item in outputs}
    held = {
        f"s3://{bucket}/{key}"
        for one in shown
        for bucket, _, prefix in [one.location.removeprefix("s3://").partition("/")]
        for key in list_keys(s3, bucket, prefix)
        if not key.endswith("/")
    }
    if unstated := held - stated.keys():
        raise NotBuilt(f"no run states to have written {min(unstated)}")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        current = pool.map(lambda one: current_version_id(s3, one.bucket, one.key), stated.values())
        for version, now in zip(stated.values(), current, strict=True):
            if now != version.version_id:
                raise NotBuilt(f"{version} is not what lies there now, which is {now or 'nothing'}")
