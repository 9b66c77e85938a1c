"""Operators for what the Amazon provider has none."""
