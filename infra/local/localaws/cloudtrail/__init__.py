"""CloudTrail's delivery: data and management events, log files, signed digests, public keys.

ministack keeps the control plane (trails, selectors); this package does what follows from it, and
answers for the event history. The life of one event:

1. `recording` sees the call pass and turns it into a record; `selectors` finds the trails that want
   it, and `journal` has it on disk before the caller gets the answer;
2. `delivery` writes what is due as a log file into each trail's bucket, as the service, and lists
   the files of each hour in a signed chain.

`service` answers CloudTrail's own API; `trails` and `place` say whose calls are recorded and where
they go. A module that only makes events belongs into `recording`, one that only writes files into
`delivery`.

`knobs` is what AWS does not have: delay, duplication, disorder and loss, for rehearsals.
"""

from localaws.cloudtrail.service import CloudTrail
from localaws.cloudtrail.settings import CloudTrailSettings

__all__ = ["CloudTrail", "CloudTrailSettings"]
