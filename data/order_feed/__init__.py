"""Invented orders, and the files of JSON lines that a web shop and its partners make of them."""
