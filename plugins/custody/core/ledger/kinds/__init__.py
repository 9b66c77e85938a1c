"""The kinds of rows beside the verdict on a version that was written: one module each.

Removals, what the audit finds at rest, writes and changes by somebody undeclared, and defects of
the trail, the seal and lineage. Not here: the verdict on a written version
(`custody.core.ledger.verdicts`).
"""
