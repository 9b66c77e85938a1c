"""How many examples the property tests try: few for every change, many every night."""

import os

THOROUGH = os.environ.get("THOROUGH") == "yes"
"""Whether this is the run of `make test-thorough`."""
