"""Landed Parquet: decoded by a process of its own, in bounded memory, and handed on as texts.

A Parquet file is a program for its reader: its footer says how much to take, and its pages how far
they unpack. So whoever decodes it has little memory, no credentials and nothing to lose, and not a
row of it is used before all of it was decoded.
"""
