"""What one deployment expects of its witnesses, from the settings its stacks wrote.

The settings are those of `infra/cloudformation/settings.yaml`: names and ARNs of one stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from custody.core.formats.timestamps import parse_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.ledger.policy import Policy
from custody.core.lineage.model import LINEAGE_PREFIX
from custody.core.seal.layout import SEAL_PREFIX
from custody.core.trail.layout import TrailLayout

LAYERS: Final[Mapping[str, str]] = {
    "raw_bucket": "bronze",
    "processed_bucket": "silver",
    "analytics_bucket": "gold",
    "provenance_bucket": "provenance",
    "trail_bucket": "trail",
}
"""The layer of the bucket that each setting names."""

_BUILDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "silver": ("glue",),
    "gold": ("glue", "audit", "airflow"),  # gold, the reconciliation, the pages
}
_JOBS: Final = ("bronze_to_silver_job", "silver_to_gold_job")
_RECORDERS: Final = ("recorder", "recorder-large")
_PREFIX_WRITERS: Final[Mapping[str, tuple[str, ...]]] = {
    LINEAGE_PREFIX: ("glue",),
    SEAL_PREFIX: ("audit",),
}
"""Who writes to the provenance bucket beside the records."""

_MAX_ARNS_TEXT: Final = 4096
"""What a Parameter Store value holds at most."""


def policy_of(settings: Mapping[str, object], *, as_of: datetime, grace: timedelta) -> Policy:
    """The ledger's policy in a deployment.

    Raises ``MalformedInput`` naming the setting that is missing or wrong.
    """
    fields = Fields.of(settings, "settings")
    roles = _role_prefix(fields)
    uploaders = fields.text("uploader_arns", max_length=_MAX_ARNS_TEXT).split(",")
    # Only AWS's services run as the platform's roles, but for Airflow's, if it is not on MWAA.
    trusted = str(settings.get("airflow_trusted_arns") or "")[:_MAX_ARNS_TEXT]
    services_only = {*_RECORDERS, *(name for names in _BUILDERS.values() for name in names)}
    return Policy(
        as_of=as_of.astimezone(UTC),
        grace=grace,
        layers={fields.text(setting): layer for setting, layer in LAYERS.items()},
        writers={
            "bronze": tuple(uploaders),
            **{layer: tuple(roles + name for name in names) for layer, names in _BUILDERS.items()},
        },
        recorders=tuple(roles + name for name in _RECORDERS),
        prefix_writers={
            prefix: tuple(roles + name for name in names)
            for prefix, names in _PREFIX_WRITERS.items()
        },
        assumed_by={
            **{roles + name: () for name in sorted(services_only)},
            roles + "airflow": tuple(filter(None, trusted.split(","))),
        },
        trail=fields.text("trail_name"),
        database=fields.text("database"),
        catalog_writers=(roles + "airflow",),
    )


def trail_layout(settings: Mapping[str, object]) -> TrailLayout:
    """Where the deployment's trail delivers; raises ``MalformedInput`` as `policy_of` does."""
    fields = Fields.of(settings, "settings")
    return TrailLayout(
        bucket=fields.text("trail_bucket"),
        account_id=fields.text("account_id"),
        region=fields.text("region"),
        trail=fields.text("trail_name"),
        home_region=fields.text("region"),
    )


def auditor(settings: Mapping[str, object]) -> str:
    """The ARN of the role that seals; raises ``MalformedInput`` as `policy_of` does."""
    return _role_prefix(Fields.of(settings, "settings")) + "audit"


def builders(settings: Mapping[str, object]) -> frozenset[str]:
    """The ARNs of the jobs that state lineage; raises ``MalformedInput`` as `policy_of` does."""
    fields = Fields.of(settings, "settings")
    partition, region, account = map(fields.text, ("partition", "region", "account_id"))
    return frozenset(
        f"arn:{partition}:glue:{region}:{account}:job/{fields.text(job)}" for job in _JOBS
    )


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """A key and when it signs: from ``valid_from`` until, and not including, ``valid_until``."""

    key_arn: str
    valid_from: datetime
    valid_until: datetime | None


def signing_key_periods(settings: Mapping[str, object]) -> list[KeyPeriod]:
    """The keys that have signed records, each with its period, the present one last.

    ``former_signing_keys`` is ``<key ARN>=<UTC time>,…``, oldest first: each signed until then,
    from the end of the one before it on. Raises ``MalformedInput`` for anything else.
    """
    fields = Fields.of(settings, "settings")
    where, former = fields.where("former_signing_keys"), settings.get("former_signing_keys") or ""
    since, periods = datetime.min.replace(tzinfo=UTC), []
    for item in filter(None, str(former).split(",")):
        arn, _, text = item.partition("=")
        try:
            until = parse_utc(text)
        except ValueError as error:
            raise MalformedInput(where, f"{item[:200]!r}: {error}") from error
        if until <= since:
            raise MalformedInput(where, f"{item[:200]!r} ends before the key before it does")
        periods.append(KeyPeriod(arn, since, until))
        since = until
    return [*periods, KeyPeriod(fields.text("signing_key_arn"), since, None)]


def _role_prefix(fields: Fields) -> str:
    """How the ARNs of the platform's own roles begin."""
    project, stage = fields.text("project"), fields.text("stage")
    return (
        f"arn:{fields.text('partition')}:iam::{fields.text('account_id')}:role/{project}-{stage}-"
    )
