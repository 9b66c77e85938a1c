"""What is made from the contracts for people: a page for each dataset.

What the platform itself makes of a contract belongs in `custody.core.datasets`.
"""
