"""The deployment under audit: its settings, where to read it, and the keys it is held against."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import boto3
from botocore.config import Config

from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.kms.seal_key import fetch_seal_keys
from custody.aws.trail.state import enabled_regions, fetch_digest_keys, read_trail_state
from custody.aws.trail.validation import DigestKeys, Pace
from custody.core.case.key_ring import KeyRing
from custody.core.case.pins import Pins
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.trust import Trust
from custody.core.records.checking import TrustedKey
from custody.core.tlog.policy import CosigningPolicy
from custody.core.trail.layout import TrailLayout
from custody.core.trail.state import TrailState
from custody.reading.copies import CopySource
from custody.reading.errors import CannotCheck
from custody.reading.sealed import SealedRecords
from custody.reading.sources import S3Source, Source
from custody.settings import KeyPeriod, Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

SSM: Final = "ssm:"
SETTINGS_VARIABLE: Final = "CUSTODY_SETTINGS"

T = TypeVar("T")


def read_file(path: Path, what: str) -> bytes:
    """A small file named on the command line; raises `CannotCheck`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotCheck(f"{what} {path} cannot be read: {error.strerror}") from error


def read_keys(path: Path) -> KeyRing:
    """The keys of a file; raises `CannotCheck`."""
    try:
        return KeyRing.parse(read_file(path, "the file of keys"))
    except MalformedInput as error:
        raise CannotCheck(f"{path}: {error}; `custody keys` writes such a file") from error


def read_policy(path: Path) -> CosigningPolicy:
    """The cosigning policy in a file; raises `CannotCheck`."""
    raw = read_file(path, "the policy")
    try:
        return CosigningPolicy.parse(raw.decode("utf-8", "surrogateescape"))
    except MalformedInput as error:
        raise CannotCheck(f"{path}: {error}") from error


def _read_parameter(name: str) -> bytes:
    # boto3 itself reads AWS_DEFAULT_REGION only, which AWS's other tools put second.
    ssm = boto3.client("ssm", region_name=os.environ.get("AWS_REGION") or None)
    try:
        return ssm.get_parameter(Name=name)["Parameter"]["Value"].encode()
    except ssm.exceptions.ParameterNotFound as error:
        raise CannotCheck(
            f"there is no parameter {name} in {ssm.meta.region_name} (ParameterNotFound): it is "
            "/<project>/<stage>/airflow/variables/custody, in the stack's region"
        ) from error


def pins_of(settings: Settings) -> Pins:
    """What the settings say of the deployment; raises `MalformedInput`."""
    return Pins(
        account_id=settings.account_id,
        region=settings.region,
        buckets={
            "raw": settings.raw_bucket,
            "processed": settings.processed_bucket,
            "analytics": settings.analytics_bucket,
            "provenance": settings.provenance_bucket,
            "trail": settings.trail_bucket,
        },
        trail=settings.trail_name,
        cadence=settings.digest_seconds,
        organization_id=settings.organization_id,
        foreign_trail=settings.trail_id if settings.trail_id != settings.trail_name else "",
    )


class Deployment:
    """One stage of the platform: as the file of `keys` pins it, else as its settings say.

    `copy` is a copy of its buckets to read instead of S3, `keys` a file of keys to use instead
    of asking KMS and CloudTrail for them. AWS is asked for nothing before it is needed.
    """

    def __init__(self, settings: str | None, *, copy: Path | None, keys: Path | None) -> None:
        self.is_copy = copy is not None
        self._settings = settings
        self._copy = copy
        self._keys = keys

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings; raises `CannotCheck` if there are none, or they cannot be read."""
        if not self._settings:
            ways = f"--settings FILE, --settings {SSM}NAME, or ${SETTINGS_VARIABLE}"
            if self.pinned is not None:
                raise CannotCheck(f"this asks for more than the keys say: give {ways}, too")
            raise CannotCheck(
                f"which deployment? Give {ways}; or --keys FILE with keys that name it"
            )
        try:
            if self._settings.startswith(SSM):
                raw = _read_parameter(self._settings.removeprefix(SSM))
            else:
                raw = read_file(Path(self._settings), "the file of settings")
            return Settings.parse(raw, what=self._settings)
        except MalformedInput as error:
            raise CannotCheck(
                f"{error}; it must be the JSON of the stack's settings parameter"
            ) from error

    def setting(self, read: Callable[[Settings], T]) -> T:
        """What `read` finds in the settings; raises `CannotCheck` if it is missing or wrong."""
        try:
            return read(self.settings)
        except MalformedInput as error:
            raise CannotCheck(
                f"{error}; settings are the JSON of the stack's settings parameter"
            ) from error

    @functools.cached_property
    def pins(self) -> Pins:
        """What the deployment is; raises `CannotCheck` if nothing says so."""
        return self.pinned or self.setting(pins_of)

    @functools.cached_property
    def pinned(self) -> Pins | None:
        """What the file of keys says of it; None if it says nothing or there is none."""
        return self.keys.deployment if self._keys is not None else None

    def differences(self) -> list[str]:
        """What the settings, if there are some, say otherwise than the file of keys."""
        if self.pinned is None or not self._settings:
            return []
        return self.pinned.differences(self.setting(pins_of))

    @property
    def provenance_bucket(self) -> str:
        return self.pins.provenance_bucket

    @property
    def origin(self) -> str:
        """The name of the seal's log."""
        return self.pins.origin

    @property
    def cosigning_policy(self) -> CosigningPolicy | None:
        """Whom the deployment itself wants to cosign its seal, if there are settings that say so;
        None for nobody."""

        def read(settings: Settings) -> CosigningPolicy | None:
            text = settings.cosigning_policy
            return None if text is None else CosigningPolicy.parse(text)

        return self.setting(read) if self._settings else None

    @functools.cached_property
    def source(self) -> Source:
        if self._copy is not None:
            return CopySource(self._copy)
        return S3Source(self.s3)

    @functools.cached_property
    def s3(self) -> S3Client:
        return boto3.client(
            "s3",
            region_name=self.pins.region,
            config=Config(max_pool_connections=Pace.workers),
        )

    @functools.cached_property
    def sealed(self) -> SealedRecords:
        """What the seal holds of records and statements."""
        return SealedRecords(self.source, self.provenance_bucket, self.keys.seal)

    @functools.cached_property
    def keys(self) -> KeyRing:
        """The keys of records, lineage and seal; those of CloudTrail only if they are in a file."""
        if self._keys is not None:
            return read_keys(self._keys)
        try:
            return self._published_keys()
        except ValueError as error:
            raise CannotCheck(
                f"{self._settings}: {error}; are these the settings of the right stack?"
            ) from error

    def _published_keys(self) -> KeyRing:
        lineage, former_lineage, seal, former, periods, builders = self.setting(
            lambda settings: (
                settings.lineage_key_arn,
                settings.former_lineage_keys,
                settings.seal_key_arn,
                settings.former_seal_keys,
                settings.signing_key_periods,
                settings.builders,
            )
        )
        return KeyRing(
            records={period.key_arn: self._signing_key(period) for period in periods},
            lineage=Trust(
                fetch_public_keys(self.kms(lineage), [lineage, *former_lineage]), builders
            ),
            seal=fetch_seal_keys(self.kms(seal), seal, former, self.origin).all,
            deployment=self.pins,
        )

    def _signing_key(self, period: KeyPeriod) -> TrustedKey:
        der = self.kms(period.key_arn).get_public_key(KeyId=period.key_arn)["PublicKey"]
        return TrustedKey(period.key_arn, der, period.valid_from, period.valid_until)

    @staticmethod
    def kms(arn: str) -> KMSClient:
        """A client in the key's region; raises `ValueError` for what is no ARN of a key."""
        match arn.split(":"):
            case ["arn", _, "kms", region, _, _] if region:
                return boto3.client("kms", region_name=region)
        raise ValueError(f"{arn!r} is no ARN of a KMS key (arn:aws:kms:<region>:…)")

    # The trail

    @functools.cached_property
    def layout(self) -> TrailLayout:
        return self.pins.layout

    @property
    def pace(self) -> Pace:
        return Pace.of_cadence(self.pins.cadence)

    def enabled_regions(self) -> frozenset[str] | None:
        """The regions of the account; None of a copy's, of which nobody is asked."""
        if self.is_copy:
            return None
        return enabled_regions(boto3.client("ec2", region_name=self.pins.region))

    def digest_keys(self, region: str) -> DigestKeys:
        """CloudTrail's public keys of a region: those of the file of keys, else those it publishes
        there."""
        if self._keys is not None:
            known = self.keys.cloudtrail
            return lambda _start, _end: known
        return lambda start, end: fetch_digest_keys(self._cloudtrail(region), start, end)

    def trail_state(self) -> TrailState | None:
        """What CloudTrail says of the trail. Of a copy's nobody is asked: it is taken to be on."""
        if self.is_copy:
            return TrailState(self.layout.bucket, self.layout.prefix, logging=True, validated=True)
        return read_trail_state(self._cloudtrail(self.layout.home_region), self.pins.trail_id)

    @staticmethod
    def _cloudtrail(region: str) -> CloudTrailClient:
        return boto3.client("cloudtrail", region_name=region)

    # Airflow

    def mwaa(self) -> Any:
        """A client of MWAA's, of which nobody publishes types that know `invoke_rest_api`."""
        return boto3.client("mwaa", region_name=self.setting(lambda settings: settings.region))

    # The recorder's queues

    def sqs(self) -> SQSClient:
        return boto3.client("sqs", region_name=self.setting(lambda settings: settings.region))

    def queue_url(self, sqs: SQSClient, suffix: str) -> str:
        stage = self.setting(lambda settings: f"{settings.project}-{settings.stage}")
        name = f"{stage}-{suffix}"
        return sqs.get_queue_url(QueueName=name)["QueueUrl"]


def now() -> datetime:
    return datetime.now(UTC)
