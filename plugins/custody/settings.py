"""The settings of one deployment: names and ARNs, and what follows from them.

`infra/cloudformation/settings.yaml` writes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

from custody.core.datasets.uploads import SMOKE, Uploads, arns_of, folder_of, read_uploads
from custody.core.formats.canonical_json import canonical_json
from custody.core.formats.timestamps import parse_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.ledger.policy import (
    AIRFLOW,
    ATHENA,
    AUDITOR,
    CATALOG_WRITERS,
    CLOUDFORMATION,
    CONTROL_WRITERS,
    EXPIRER,
    LAYER_WRITERS,
    PREFIX_WRITERS,
    RECORDERS,
    REPLICATION,
    UNHASHED,
    WRITERS,
    WRITERS_BELOW,
    Policy,
)
from custody.core.trail.layout import TrailLayout

LAYERS: Final[Mapping[str, str]] = {
    "raw_bucket": "bronze",
    "processed_bucket": "silver",
    "analytics_bucket": "gold",
    "provenance_bucket": "provenance",
    "trail_bucket": "trail",
}
"""The layer of the bucket that each setting names."""

UNRECORDED: Final[Mapping[str, str]] = {
    "artifacts_bucket": "artifacts",
    "athena_results_bucket": "results",
}
"""The same of buckets whose objects nobody records."""

_MAX_BYTES: Final = 64 * 1024
_MAX_TEXT: Final = 4096
"""What a Parameter Store value holds at most."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """A key and when it signs: from `valid_from` until, and not including, `valid_until`."""

    key_arn: str
    valid_from: datetime
    valid_until: datetime | None


def _text(fields: Fields, name: str) -> str:
    return fields.text(name, max_length=_MAX_TEXT)


def _texts(fields: Fields, name: str) -> tuple[str, ...]:
    return tuple(_text(fields, name).split(","))


def _optional_texts(fields: Fields, name: str) -> tuple[str, ...]:
    """The texts, separated by commas; none if the setting is missing or empty."""
    return tuple(filter(None, str(fields.values.get(name) or "")[:_MAX_TEXT].split(",")))


def _optional_text(fields: Fields, name: str) -> str | None:
    """The text; None if the setting is missing or empty."""
    return _text(fields, name) if fields.values.get(name) else None


def _text_or_empty(fields: Fields, name: str) -> str:
    """The text; empty if the setting is missing."""
    return _optional_text(fields, name) or ""


def _number(fields: Fields, name: str) -> int:
    """A whole number; a template writes it as a text."""
    value = fields.values.get(name)
    if isinstance(value, int):
        return fields.count(name)
    text = _text(fields, name)
    if not (text.isascii() and text.isdigit()):
        raise MalformedInput(fields.where(name), f"must be a whole number, not {text[:60]!r}")
    return int(text)


def _seconds(fields: Fields, name: str) -> timedelta:
    seconds = _number(fields, name)
    if not seconds:
        raise MalformedInput(fields.where(name), "must be at least one second")
    return timedelta(seconds=seconds)


def _days(fields: Fields, name: str) -> timedelta:
    return timedelta(days=_number(fields, name))


def _names_of(arns: Iterable[str], kind: str) -> frozenset[str]:
    """The names of the users, or of the roles, among ARNs."""
    named = (arn.partition(f":{kind}/")[2].rpartition("/")[2] for arn in arns)
    return frozenset(filter(None, named))


def _ends(fields: Fields, name: str) -> Iterator[tuple[str, datetime]]:
    """Each ARN and the time until which it held, of a setting `<ARN>=<UTC time>,…`.

    Raises `MalformedInput` for anything else.
    """
    for item in _optional_texts(fields, name):
        arn, _, text = item.partition("=")
        try:
            yield arn, parse_utc(text)
        except ValueError as error:
            raise MalformedInput(fields.where(name), f"{item[:200]!r}: {error}") from error


def _uploads(fields: Fields, name: str) -> Uploads | None:
    """Who may upload which dataset; None if nobody says, as before there were such settings.

    Raises `MalformedInput` for anything else.
    """
    if name not in fields.values:
        return None
    try:
        return read_uploads(_text_or_empty(fields, name))
    except ValueError as error:
        raise MalformedInput(fields.where(name), str(error)) from error


class _Setting(Generic[T]):
    """A setting under the name of its attribute, read with its type."""

    def __init__(self, read: Callable[[Fields, str], T]) -> None:
        self._read = read

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, settings: Settings, owner: type | None = None) -> T:
        return self._read(settings.fields, self._name)


@dataclass(frozen=True)
class Settings:
    """The settings of one deployment, each with its type.

    One that is missing or wrong raises `MalformedInput`, which names it, when it is asked for:
    whoever needs some of them (an auditor with a copy, a job with the signing keys) need not have
    the others.
    """

    fields: Fields

    project = _Setting(_text)
    stage = _Setting(_text)
    partition = _Setting(_text)
    account_id = _Setting(_text)
    region = _Setting(_text)
    raw_bucket = _Setting(_text)
    processed_bucket = _Setting(_text)
    analytics_bucket = _Setting(_text)
    provenance_bucket = _Setting(_text)
    trail_bucket = _Setting(_text)
    artifacts_bucket = _Setting(_optional_text)
    athena_results_bucket = _Setting(_optional_text)
    database = _Setting(_text)
    trail_name = _Setting(_text)
    trail_account_id = _Setting(_text_or_empty)
    organization_id = _Setting(_text_or_empty)
    signing_key_arn = _Setting(_text)
    lineage_key_arn = _Setting(_text)
    seal_key_arn = _Setting(_text)
    answer_key_arn = _Setting(_text_or_empty)
    bronze_to_silver_job = _Setting(_text)
    silver_to_gold_job = _Setting(_text)
    reconcile_job = _Setting(_text)
    audit_job = _Setting(_text)
    code_location = _Setting(_text)
    uploader_arns = _Setting(_texts)
    uploads = _Setting(_uploads)
    airflow_trusted_arns = _Setting(_optional_texts)
    deployer_arns = _Setting(_optional_texts)
    encryption_key_arns = _Setting(_optional_texts)
    former_signing_keys = _Setting(_optional_texts)
    former_seal_keys = _Setting(_optional_texts)
    former_lineage_keys = _Setting(_optional_texts)
    cosigning_policy = _Setting(_optional_text)
    former_uploaders = _Setting(_optional_texts)
    digest_seconds = _Setting(_seconds)
    noncurrent_version_days = _Setting(_days)
    run_retention_days = _Setting(_days)

    @classmethod
    def parse(cls, document: object, *, what: str = "settings") -> Settings:
        """The settings in a JSON document: its text, its bytes, or the object read from it.

        Raises `MalformedInput` if it is no JSON object; `what` names it in every error.
        """
        if isinstance(document, str | bytes):
            document = load_json(document, what=what, max_bytes=_MAX_BYTES)
        return cls(Fields.of(document, what))

    @property
    def sha256(self) -> str:
        """What these settings are known by: the SHA-256 of their JSON with sorted names and no
        spaces."""
        return hashlib.sha256(canonical_json(dict(self.fields.values))).hexdigest()

    @property
    def parameter_name(self) -> str:
        """The SSM parameter that Airflow reads the same settings from."""
        return f"/{self.project}/{self.stage}/airflow/variables/custody"

    @property
    def airflow_environment(self) -> str:
        """The environment on MWAA that runs the DAGs, if they run there (`mwaa.yaml`)."""
        return f"{self.project}-{self.stage}"

    def differences(self, other: Settings) -> tuple[str, ...]:
        """The names of the settings that `other` has not, or has otherwise, or alone."""
        mine, others = self.fields.values, other.fields.values
        return tuple(sorted(n for n in mine.keys() | others if mine.get(n) != others.get(n)))

    def role(self, name: str) -> str:
        """The ARN of one of the platform's own roles."""
        role = f"{self.project}-{self.stage}-{name}"
        return f"arn:{self.partition}:iam::{self.account_id}:role/{role}"

    @property
    def auditor(self) -> str:
        """The ARN of the role that seals."""
        return self.role(AUDITOR)

    @property
    def judging_jobs(self) -> tuple[str, str]:
        """The names of the jobs that judge, and state what they found."""
        return self.reconcile_job, self.audit_job

    @property
    def builders(self) -> frozenset[str]:
        """The ARNs of the jobs that state lineage."""
        jobs = f"arn:{self.partition}:glue:{self.region}:{self.account_id}:job/"
        return frozenset({jobs + self.bronze_to_silver_job, jobs + self.silver_to_gold_job})

    @property
    def trail_layout(self) -> TrailLayout:
        """Where the trail delivers."""
        return TrailLayout(
            bucket=self.trail_bucket,
            account_id=self.account_id,
            region=self.region,
            trail=self.trail_name,
            home_region=self.region,
            organization_id=self.organization_id,
        )

    @property
    def trail_id(self) -> str:
        """What CloudTrail knows the trail by here: its name, or the ARN of one of another account,
        which an organization's may be."""
        account = self.trail_account_id
        if account in ("", self.account_id):
            return self.trail_name
        return f"arn:{self.partition}:cloudtrail:{self.region}:{account}:trail/{self.trail_name}"

    @property
    def signing_key_periods(self) -> list[KeyPeriod]:
        """The keys that have signed records, each with its period, the present one last.

        `former_signing_keys` is `<key ARN>=<UTC time>,…`, oldest first: each signed until then,
        from the end of the one before it on. Raises `MalformedInput` for anything else.
        """
        since, periods = datetime.min.replace(tzinfo=UTC), []
        for arn, until in _ends(self.fields, "former_signing_keys"):
            if until <= since:
                where = self.fields.where("former_signing_keys")
                raise MalformedInput(where, f"{arn[:200]!r} ends before the key before it does")
            periods.append(KeyPeriod(arn, since, until))
            since = until
        return [*periods, KeyPeriod(self.signing_key_arn, since, None)]

    def policy(self, *, as_of: datetime, grace: timedelta) -> Policy:
        """The ledger's policy in this deployment at `as_of` (aware)."""
        # Only AWS's services run as the platform's roles, but for Airflow's, if it is not on MWAA.
        services_only = dict.fromkeys((*WRITERS, CLOUDFORMATION, EXPIRER, REPLICATION), ())
        assumed_by = services_only | {AIRFLOW: self.airflow_trusted_arns}
        return Policy(
            as_of=as_of.astimezone(UTC),
            grace=grace,
            layers=self._layers(),
            writers={
                "bronze": self.uploader_arns,
                **{layer: self._roles(names) for layer, names in LAYER_WRITERS.items()},
            },
            writers_below={
                **self._uploaders(),
                **{
                    layer: {part: self._roles(names) for part, names in parts.items()}
                    for layer, parts in WRITERS_BELOW.items()
                },
            },
            recorders=self._roles(RECORDERS),
            retired=self._former_uploaders(),
            prefix_writers={prefix: self._roles(names) for prefix, names in PREFIX_WRITERS.items()},
            unhashed_writers={
                layer: (*self._roles(names), ATHENA) for layer, names in UNHASHED.items()
            },
            copiers=self._roles((REPLICATION,)),
            expirers=self._roles((EXPIRER,)),
            assumed_by={self.role(name): trusted for name, trusted in assumed_by.items()},
            trail=self.trail_name,
            database=self.database,
            catalog_writers=self._roles(CATALOG_WRITERS),
            deployment=f"{self.project}-{self.stage}",
            named=self._named(),
            deployers=(*self.deployer_arns, self.role(CLOUDFORMATION)),
            control_writers={what: self._roles(names) for what, names in CONTROL_WRITERS.items()},
        )

    def _uploaders(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The uploaders of each dataset by its folder in bronze; nothing if each may upload all."""
        if self.uploads is None:
            return {}
        of_datasets = {
            folder_of(dataset): arns_of(names, self.uploader_arns)
            for dataset, names in self.uploads.items()
        }
        return {"bronze": {folder_of(SMOKE): self.uploader_arns, **of_datasets}}

    def _former_uploaders(self) -> Mapping[str, Mapping[str, datetime]]:
        """Who might upload and until when, by folder in bronze: `former_uploaders` names a dataset
        before the ARN, `<dataset>/<ARN>=<UTC time>`, or none for all of them."""
        found: dict[str, dict[str, datetime]] = {}
        for item, until in _ends(self.fields, "former_uploaders"):
            dataset, is_named, arn = item.partition("/arn:")
            folder, arn = (folder_of(dataset), f"arn:{arn}") if is_named else ("", item)
            found.setdefault(folder, {})[arn] = until
        return found

    def _layers(self) -> dict[str, str]:
        """The layer of each bucket. Who has but some settings has no bucket without records."""
        others = (
            (bucket, layer)
            for setting, layer in UNRECORDED.items()
            if (bucket := getattr(self, setting)) is not None
        )
        return {
            **{_text(self.fields, setting): layer for setting, layer in LAYERS.items()},
            **dict(others),
        }

    def _named(self) -> Mapping[str, frozenset[str]]:
        """The platform's things whose names do not begin as its own do, by kind of thing."""
        people = (*self.uploader_arns, *self.deployer_arns, *self.airflow_trusted_arns)
        keys = [period.key_arn for period in self.signing_key_periods]
        for setting in (
            "lineage_key_arn",
            "seal_key_arn",
            "token_key_arn",
            "answer_key_arn",
            "former_seal_keys",
            "former_lineage_keys",
            "encryption_key_arns",
        ):
            keys += _optional_texts(self.fields, setting)
        return {
            "bucket": frozenset(self._layers()),
            "database": frozenset({self.database}),
            "key": frozenset(arn.rpartition("/")[2] for arn in keys),
            "role": _names_of(people, "role"),
            "trail": frozenset({self.trail_name}),
            "user": _names_of(people, "user"),
        }

    def _roles(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.role(name) for name in names)
