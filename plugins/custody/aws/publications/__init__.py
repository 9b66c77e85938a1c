"""Publishing a day: what was built, the publication, and the partitions that follow it."""
