"""Lineage: SLSA provenance statements of the job runs, whether one may be believed, and tracing a
file back through them.

Not here: the ledger's rows about statements that may not be believed (`ledger`).
"""
