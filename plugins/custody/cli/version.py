"""The package's version: what is packaged (pyproject.toml) and what `custody --version` prints."""

from typing import Final

VERSION: Final = "0.1.0"
