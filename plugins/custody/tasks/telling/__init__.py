"""Telling people: pages of findings and of runs that failed, reminders, and that all is well.

Not here: what is told and when, which are rules (`custody.core.paging`).
"""
