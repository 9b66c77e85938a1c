"""Lineage statements in the provenance bucket: keeping, reading back and checking them.

Not here: what a Spark job states about its own run (`custody.spark.glue_runs`).
"""
