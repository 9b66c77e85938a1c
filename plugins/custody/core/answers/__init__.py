"""What people answer to a finding: they take it on for a while, or close it with a reason.

An answer is a signed statement. It ends that people are reminded of a finding; the verdict, and the
first page about it, it does not touch.
"""
