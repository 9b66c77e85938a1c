"""What the generators of all datasets share: repeatable choices, and the account of each file."""
