"""Invented readings of the sensors on the cooled shelves of partners."""
