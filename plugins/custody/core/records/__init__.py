"""Landing records: what the recorder states of one object version, and under which name.

Not here: what CloudTrail says of the same version (`trail`), and what follows when the two are
compared (`ledger`). The recorder runs on this package without `checking` and `check_table`,
which need `cryptography`.
"""
