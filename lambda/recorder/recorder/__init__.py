"""The recorder: hashes every object version that lands and keeps a signed record of it."""
