"""Every call that can touch what the platform consists of, and what it does: a closed world.

A table per service, whose names are those of its API. What follows from a call is not here: who may
make it and what is found of it is the ledger's.
"""
