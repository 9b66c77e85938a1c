"""The console's objects, of the small platform of `tests.support.audited`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import pytest
from tests.support.audited import (
    ANALYTICS,
    DAY,
    GOLD_RUN,
    PROCESSED,
    RING,
    SETTINGS,
    SIGNER,
    SILVER_RUN,
    Platform,
)

from custody.aws.publications.keeping import publish
from custody.console.evidence import CurrentEvidence, Evidence
from custody.console.objects import Objects
from custody.console.reading import Console
from custody.core.publications.model import Asked, Publication, Shown, Why
from custody.settings import Settings

PARSED: Final = Settings.parse(SETTINGS)


@contextmanager
def evidence_of(platform: Platform) -> Iterator[CurrentEvidence]:
    """Its evidence, believed by its own keys: KMS has none of these."""
    console = Console(platform.s3, PARSED, SIGNER.key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evidence, "keys", RING)
        yield CurrentEvidence(lambda: console, lambda: datetime.now(UTC))


@contextmanager
def objects_of(platform: Platform) -> Iterator[Objects]:
    """Its objects."""
    with evidence_of(platform) as current:
        yield Objects(current)


def published(platform: Platform, number: int, **asked: str | None) -> Publication:
    """A publication of its day, that the platform's two runs are shown."""
    request = {"airflow_run": "scheduled__1", "asked_by": None, "reason": None, **asked}
    return publish(
        platform.s3,
        ANALYTICS,
        "customers",
        DAY,
        why=Why.ROLLBACK if asked else Why.BUILD,
        asked=Asked(cleared=number, **request),  # type: ignore[arg-type]
        shown=[
            Shown("silver_customers", SILVER_RUN.id, f"s3://{PROCESSED}/silver/{number}/"),
            Shown("gold_customers_per_day", GOLD_RUN.id, f"s3://{ANALYTICS}/gold/{number}/"),
        ],
    )
