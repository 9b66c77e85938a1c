"""A run of a Glue job as its own script sees it: what it is, what it read, what it wrote."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import custody
from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.kms.signing import is_key_arn
from custody.aws.lineage.keeping import keep_lineage
from custody.aws.s3.errors import ObjectAbsent
from custody.aws.s3.listing import list_current
from custody.aws.s3.reading import read_current
from custody.core.lineage.model import HashedObject, Lineage, Material, Run, run_of
from custody.core.lineage.trust import NoLineage, Read, Trust, lineage_of_run
from custody.core.runs.code import SUMS, check_code
from custody.objects import UNVERSIONED
from custody.settings import Settings
from custody.spark.hashing import hash_versions
from custody.spark.startup import job_arguments

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from pyspark.sql import SparkSession


_MAX_MATERIAL_BYTES: Final = 16 * 1024 * 1024


class ChangedOutputs(Exception):
    """The objects under the prefix of a run are not those it wrote; the text names a difference."""


@dataclass(frozen=True)
class GlueRun:
    """A run of a job.

    `parameters` are the arguments it was given, among them `dt`, `provenance_bucket`,
    `lineage_key_arn`, and `former_lineage_keys` (JSON of that setting). `materials` are its code
    and configuration.
    """

    job_name: str
    id: str
    parameters: Mapping[str, str]
    started_on: datetime
    materials: tuple[Material, ...]


class UnknownCode(Exception):
    """The running code is unknown: lineage without it would hide what made the outputs."""


def this_run(argv: list[str], parameters: Sequence[str], *, script: str) -> GlueRun:
    """The run that `argv` starts of the file `script`, with the arguments `parameters`.

    Raises `UnknownCode` as `code` does.
    """
    started_on = datetime.now(UTC)
    given = job_arguments(argv, ["JOB_NAME", *parameters])
    return GlueRun(
        job_name=given["JOB_NAME"],
        id=given["JOB_RUN_ID"],
        parameters={name: given[name] for name in parameters},
        started_on=started_on,
        materials=code(script, custody.__file__),
    )


def lineage_trust(run: GlueRun, kms: KMSClient, job_name: str) -> Trust:
    """Trust in the lineage of a job: by the key that signs it, and by those that did before.

    Raises `MalformedInput`, `ValueError`, or what botocore raises.
    """
    given, key_arn = run.parameters, run.parameters["lineage_key_arn"]
    former = Settings.parse(given["former_lineage_keys"], what="former_lineage_keys")
    keys = fetch_public_keys(kms, [key_arn, *former.former_lineage_keys])
    return Trust(keys, frozenset({job_arn(key_arn, job_name)}))


def job_arn(key_arn: str, job_name: str) -> str:
    """The ARN of the Glue job that signs with `key_arn`: of the same account and region.

    Raises `ValueError` if that is not the ARN of a KMS key.
    """
    if not is_key_arn(key_arn):
        raise ValueError(f"lineage_key_arn must be the ARN of a KMS key, not {key_arn!r}")
    _, partition, _, region, account, _ = key_arn.split(":", 5)
    return f"arn:{partition}:glue:{region}:{account}:job/{job_name}"


def code(script: str, package: str) -> tuple[Material, ...]:
    """What runs: the file `script`, and the archive that the module file `package` lies in.

    Raises `UnknownCode` if the package was not imported from an archive.
    """
    archive = next((path for path in Path(package).parents if path.is_file()), None)
    if archive is None:
        raise UnknownCode(
            f"{package} is in no archive: give the job custody.zip (--extra-py-files)"
        )
    return tuple(
        Material(name, hashlib.sha256(path.read_bytes()).hexdigest())
        for name, path in (("script", Path(script)), ("package", archive))
    )


def fetch_material(s3: S3Client, name: str, uri: str) -> tuple[bytes, Material]:
    """The bytes of the small object at an S3 URI, and which version of it they are.

    Raises `ObjectAbsent`, `ValueError` for an object that is not small, or what botocore
    raises.
    """
    bucket, key = split_uri(uri)
    found = read_current(s3, bucket, key, max_bytes=_MAX_MATERIAL_BYTES)
    if found is None:
        raise ObjectAbsent(f"there is no {uri}")
    if len(found.body) > _MAX_MATERIAL_BYTES:
        raise ValueError(f"{uri} is longer than the {_MAX_MATERIAL_BYTES} bytes accepted")
    version_id = found.version.version_id if found.version.version_id != UNVERSIONED else None
    digest = hashlib.sha256(found.body).hexdigest()
    return found.body, Material(name, digest, uri=uri, version_id=version_id)


def check_deployed(s3: S3Client, run: GlueRun, location: str) -> bytes:
    """The `SHA256SUMS` of the bundle at the S3 URI `location`.

    Raises `OtherCode` if what runs is none of it, as far as the code that runs can tell;
    `ObjectAbsent`, or what botocore raises.
    """
    sums, _ = fetch_material(s3, SUMS, f"{location}/{SUMS}")
    check_code(sums, location, run.materials)
    return sums


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def verified_outputs(
    spark: SparkSession,
    location: str,
    *,
    read: Read,
    trust: Trust,
    s3_client: Callable[[], S3Client],
) -> list[HashedObject]:
    """The object versions under an earlier run's `location` (S3 URI), if it states just these.

    All bytes are read and hashed. Raises `ChangedOutputs`, `NoLineage` or `BadLineage`.
    """
    bucket, prefix = split_uri(location)
    run = run_of(prefix)
    if run is None:
        raise NoLineage(f"{location} is not the location of a run")
    lineage = lineage_of_run(run, read, trust)
    stated = {
        item
        for item in lineage.outputs
        if item.version.bucket == bucket and item.version.key.startswith(prefix)
    }
    found = hash_versions(spark.sparkContext, list_current(s3_client(), bucket, prefix), s3_client)
    if difference := stated.symmetric_difference(found):
        first = min(difference)
        side = "is there, unstated" if first in found else "is stated, but not there"
        raise ChangedOutputs(
            f"{location}: {first} {side} ({len(difference)} such differences to the lineage of "
            f"run {run.id}); build it again and find out who wrote there"
        )
    return found


def check_unchanged(s3: S3Client, location: str, read: Sequence[HashedObject]) -> None:
    """Raise ChangedOutputs if other versions than those `read` lie under an S3 URI now."""
    now = {stored.version for stored in list_current(s3, *split_uri(location))}
    if now != {item.version for item in read}:
        raise ChangedOutputs(f"{location} changed while it was read; build the day again")


def record_lineage(
    spark: SparkSession,
    run: GlueRun,
    *,
    inputs: Sequence[HashedObject],
    locations: Sequence[str],
    s3_client: Callable[[], S3Client],
    kms: KMSClient,
) -> Lineage:
    """State what `run` made: every object under its `locations` (S3 URIs), out of `inputs`.

    To be called when all outputs are written and checked. Raises what `keep_lineage` raises.
    """
    key_arn = run.parameters["lineage_key_arn"]
    s3 = s3_client()
    written = [item for uri in locations for item in list_current(s3, *split_uri(uri))]
    lineage = Lineage(
        run=Run(run.parameters["dt"], run.id),
        builder_id=job_arn(key_arn, run.job_name),
        platform={"python": platform.python_version(), "spark": spark.version},
        started_on=run.started_on,
        finished_on=datetime.now(UTC),
        parameters=run.parameters,
        materials=run.materials,
        inputs=tuple(sorted(inputs)),
        outputs=tuple(sorted(hash_versions(spark.sparkContext, written, s3_client))),
    )
    keep_lineage(
        s3, kms, key_arn=key_arn, bucket=run.parameters["provenance_bucket"], lineage=lineage
    )
    return lineage
