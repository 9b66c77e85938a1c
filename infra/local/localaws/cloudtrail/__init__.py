"""CloudTrail's delivery: data and management events, log files, signed digests, public keys.

ministack keeps the control plane (trails, selectors, ``LookupEvents``); this package does what
follows from it. The life of one event:

1. `observer` sees an S3 call pass and `events` turns it into a record, `apicalls` and `management`
   do for all other calls; `selectors` finds the trails that want it and `journal` has it on disk
   before the caller gets the answer;
2. `delivery` writes what is due as a log file into each trail's bucket, as the service;
3. `digests` lists the files of each hour in a signed chain; `publickeys` serves the keys.

`knobs` is what AWS does not have: delay, duplication, disorder and loss, for rehearsals.
"""

from localaws.cloudtrail.service import CloudTrail
from localaws.cloudtrail.settings import CloudTrailSettings

__all__ = ["CloudTrail", "CloudTrailSettings"]
