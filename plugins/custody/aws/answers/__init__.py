"""Answers to findings in the provenance bucket: signed, written once, and read by version.

Not here: which answer counts (`custody.core.answers`).
"""
