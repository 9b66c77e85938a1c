"""`custody`: the command line of auditors and operators. Needs no Airflow; see docs/auditor.md."""
