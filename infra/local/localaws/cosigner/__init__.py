"""Somebody outside who cosigns the checkpoints of transparency logs (https://c2sp.org/tlog-witness).

It shares no code with the platform, as one outside would not.
"""
