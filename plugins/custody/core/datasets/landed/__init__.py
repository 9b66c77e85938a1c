"""Landed files: how their bytes are unpacked, parted, and read as rows."""
