"""Judging a table of a run by its contract's rules, before anybody is shown it.

What the rules say and when they hold is in `custody.core.datasets.quality`, what is published of
other days in `custody.aws.publications`.
"""
