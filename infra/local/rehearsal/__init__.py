"""The whole platform on one machine: bring it up, use it, attack it, look at what it says."""
