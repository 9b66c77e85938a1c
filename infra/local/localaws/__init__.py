"""The AWS of one machine: ministack behind a thin layer that adds what it lacks."""
