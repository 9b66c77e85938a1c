"""The parts of a month's cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PRICES: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("prices.json").read_text(encoding="utf-8")
)
HOURS: Final = 730
DAYS: Final = 30.4
# In network.yaml: endpoints of services, each in two zones (S3's costs nothing).
ENDPOINTS: Final = 11
ZONES: Final = 2
# In keys.yaml, and in observability.yaml with the metrics that it watches.
KEYS: Final = 9
ALARMS: Final = 8
METRICS: Final = 3
# Of one object that lands: see docs/cost.md.
DATA_EVENTS: Final = 5
READS: Final = 4
WRITES: Final = 2
LAMBDA_GB_SECONDS: Final = 0.2
SQS_REQUESTS: Final = 0.3


@dataclass(frozen=True)
class Plan:
    """What somebody means to run."""

    objects_per_day: int = 10_000
    stored_gb: float = 100.0
    glue_minutes_per_day: float = 24 * 3 + 20
    """Of two G.1X workers: the hourly reconciliation, the audit, and the medallion."""
    mwaa: str | None = None
    nat_gateways: int = 0


def parts(plan: Plan) -> dict[str, float]:
    """US dollars a month, by part."""
    objects = plan.objects_per_day * DAYS
    each = (
        DATA_EVENTS * PRICES["cloudtrail_data_event"]
        + PRICES["kms_signature"]
        + WRITES * PRICES["s3_put"]
        + READS * PRICES["s3_get"]
        + LAMBDA_GB_SECONDS * PRICES["lambda_gb_second"]
        + SQS_REQUESTS * PRICES["sqs_request"]
    )
    found = {
        "objects that land": objects * each,
        "storage": plan.stored_gb * PRICES["s3_gb_month"],
        "Glue": plan.glue_minutes_per_day * DAYS / 60 * 2 * PRICES["glue_dpu_hour"],
        "keys": KEYS * PRICES["kms_key_month"],
        "alarms and metrics": ALARMS * PRICES["alarm_month"]
        + METRICS * PRICES["custom_metric_month"],
    }
    if plan.mwaa:
        found["MWAA"] = HOURS * PRICES["mwaa_hour"][plan.mwaa]
        if plan.nat_gateways:
            found["NAT gateways"] = plan.nat_gateways * HOURS * PRICES["nat_gateway_hour"]
        else:
            found["endpoints"] = ENDPOINTS * ZONES * HOURS * PRICES["endpoint_hour"]
    return found
