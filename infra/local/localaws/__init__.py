"""The AWS of one machine: ministack behind a thin layer that adds what it lacks.

A service we serve ourselves is a package (`athena`, `cloudtrail`, `glue`), and so is what we add to
one of ministack's (`s3`, `cloudformation`); what concerns every call is in `access`, `durability`
and `server`. Here are only the programs (`cli`, `daemon`, which puts the parts together) and what
all packages share.
"""
