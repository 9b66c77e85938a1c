"""Keeping what a run of a job that judges states of itself, and reading it back."""
