"""Publications: which runs' tables the readers of a day are shown, since when, by whom and why.

Not here: the partitions of the catalog, which follow them (`custody.aws.publications`).
"""
