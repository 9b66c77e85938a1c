"""CloudTrail's digest files: what one says, who signed it, the chain between them, and what they
cover.

Not here: the log files that digests vouch for (`custody.core.trail.log_files`).
"""
