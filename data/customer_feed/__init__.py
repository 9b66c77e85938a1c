"""A synthetic customer base and the dirty daily files that three source systems make of it."""
