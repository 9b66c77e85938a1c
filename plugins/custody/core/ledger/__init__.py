"""The ledger: from what both witnesses say of an object version to a verdict and its row.

Policy, testimony, verdicts, removals, defects of the trail, and who is behind them. Not here: whom
to tell and what of it is news (`paging`).
"""
