"""Glue job runs: a job's script under a local Spark, with the credentials of the job's role."""

from localaws.glue.service import GlueJobRuns
from localaws.glue.spark import SparkHome

__all__ = ["GlueJobRuns", "SparkHome"]
