"""Glue: job runs under a local Spark, with the credentials of the job's role, and the catalog.

ministack makes and keeps job definitions and the catalog. `service` answers the operations on job
runs, `catalog` asks for the catalog's permissions; `jobruns` executes a run and `spark` is the
Spark its script finds.
"""

from localaws.glue.service import GlueJobRuns
from localaws.glue.spark.configuration import SparkHome

__all__ = ["GlueJobRuns", "SparkHome"]
