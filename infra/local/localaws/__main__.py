"""`python -m localaws`: see `localaws.cli`."""

from __future__ import annotations

import sys

from localaws.cli import main

sys.exit(main(sys.argv[1:]))
