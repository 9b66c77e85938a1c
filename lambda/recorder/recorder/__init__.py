"""The recorder: hashes every object version that lands and keeps a signed record of it."""

__version__ = "1.0.0"
