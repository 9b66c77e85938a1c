"""`custody`: the command line of auditors and operators. Needs no Airflow; see docs/auditor.md.

Not here: rules (`custody.core`); the same ones judge in the platform and on an auditor's machine.
"""
