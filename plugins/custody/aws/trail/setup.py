"""A trail's setup from CloudTrail's API, compared with what it was deployed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custody.core.trail import reasons
from custody.core.trail.defects import TrailDefect
from custody.core.trail.setup import TrailSetup, needed_selectors, selectors_of, setup_reasons
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient


def setup_defects(cloudtrail: CloudTrailClient, settings: Settings) -> list[TrailDefect]:
    """The defect of a trail that is not set up as it was deployed, if so; none where there is no
    trail, which is a defect of its own, and none of a trail that another account set up.

    `cloudtrail` must be a client of the trail's home region. Raises what botocore raises.
    """
    if settings.trail_id != settings.trail_name:
        return []
    trails = cloudtrail.describe_trails(trailNameList=[settings.trail_name])["trailList"]
    if not trails:
        return []
    (trail,) = trails
    selected = cloudtrail.get_event_selectors(TrailName=settings.trail_name)
    setup = TrailSetup(
        selectors=selectors_of(selected.get("AdvancedEventSelectors", [])),
        key_arn=trail.get("KmsKeyId"),
        global_services=trail.get("IncludeGlobalServiceEvents", False),
    )
    needed = needed_selectors(
        partition=settings.partition,
        account_id=settings.account_id,
        deployment=f"{settings.project}-{settings.stage}",
        trail_bucket=settings.trail_bucket,
    )
    found = setup_reasons(setup, needed, settings.encryption_key_arns)
    return [reasons.trail_off(settings.trail_layout, " ".join(found))] if found else []
