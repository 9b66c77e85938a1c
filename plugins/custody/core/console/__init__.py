"""What the console shows of custody: which findings stand, which hours were judged, how fresh each
watcher is, and a runbook with the values of a finding.

Everything is from what the runs signed. Not here: reading it (`custody.aws.runs`), and pages of
HTML (`custody.console`).
"""
