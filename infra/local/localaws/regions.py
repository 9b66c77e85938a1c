"""The regions of the account, as EC2 tells of them: those of the settings, and no more.

ministack has a fixed list of AWS's regions, all of them enabled. CloudTrail delivers from every
region that is enabled, so a list that is not ours would promise digests that nobody writes.
"""

from __future__ import annotations

from ministack.services import ec2

from localaws.settings import Settings


def register(settings: Settings) -> None:
    """Have ministack's EC2 answer `DescribeRegions` for the account of `settings`."""
    ec2._AWS_REGIONS[:] = [(region, "opt-in-not-required") for region in settings.regions]  # noqa: SLF001
