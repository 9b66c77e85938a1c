"""The reconciliation: each write in a window, as the trail and as the records tell it, compared.

Here is what brings the evidence together at scale. What is concluded from it is decided in
`custody.core.ledger`; what other jobs read or write in the same way is in `custody.spark` itself.
"""
