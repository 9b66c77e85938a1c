"""What a statement's SQL means: parsing, Trino's types and names, and its DuckDB text."""
