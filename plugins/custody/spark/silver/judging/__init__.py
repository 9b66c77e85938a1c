"""Judging rows by a contract: types, rules, and the reasons for which a row is rejected.

Each rule is judged of many rows at once, in columns of Arrow: no Spark is needed for it.
"""
