"""The regions of AWS, as botocore knows them."""

from __future__ import annotations

import botocore.session


def trail_regions(partition: str) -> str:
    """Every region from which CloudTrail may deliver, separated by commas.

    Which of them an account has enabled is not asked: a table that is told of one too many finds
    nothing there. A region younger than botocore is missing.
    """
    session = botocore.session.get_session()
    return ",".join(sorted(session.get_available_regions("cloudtrail", partition_name=partition)))
