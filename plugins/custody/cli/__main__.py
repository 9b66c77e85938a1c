"""`python -m custody.cli`: the command where the package is not installed."""

from custody.cli.main import run

run()
