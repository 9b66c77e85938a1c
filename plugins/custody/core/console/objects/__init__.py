"""One object: how it is asked for, its life, and what was made of it."""
