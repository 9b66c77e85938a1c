"""Paging: which rows of the ledger are findings, which findings are news, and the messages about
them.

Not here: the verdicts (`ledger`), and sending or remembering messages (`custody.aws.paging`).
"""
