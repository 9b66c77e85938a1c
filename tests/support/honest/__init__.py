"""Honest histories: what S3, the recorder and CloudTrail leave behind when nobody does wrong.

`hours` are what happens, `seasons` what befalls the platform over days (outages, deployments),
`drawn` draws both. `platform` lives them, `witnesses` tell of it, each at a time of its own, some
of it more than once. Nothing of that knows the rules of the ledger; `judging` applies them, as the
reconciliation does.
"""
