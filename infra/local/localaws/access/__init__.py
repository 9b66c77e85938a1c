"""Who is who in the account, and what they may: keys, signatures, policies.

`root` and `bootstrap` make the principals, `identity` is the gate every request passes,
`encryption` asks for the KMS key of what is read or written, `conditions` knows what a policy asks
for. What a single service asks beyond
that (the Glue catalog) is in the package of that service.
"""
