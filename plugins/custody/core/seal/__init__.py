"""The seal: what the platform puts into its transparency log, where the log lies, how it grows by
one append at a time, and how it is checked.

Not here: the log's own rules (`tlog`), and the ledger's rows about a broken seal (`ledger`).
"""
