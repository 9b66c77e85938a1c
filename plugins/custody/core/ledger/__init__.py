"""The ledger: from the evidence about an object version to a verdict and its row.

Policy, facts, verdicts and the sentences that explain them, removals, defects of the evidence, and
the calls behind them. Not here: whom to tell and what of it is news (`paging`).
"""
