"""The audit: the whole trail proven, the buckets compared with the records, the seal kept.

Here is what brings the evidence together at scale. What is concluded from it is decided in
`custody.core.ledger`, `custody.core.trail` and `custody.core.seal`; what other jobs read or write
in the same way is in `custody.spark` itself.
"""
