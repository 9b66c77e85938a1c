"""Chain of custody for every object of the data platform.

`custody.core` is plain Python (no AWS, no Airflow, no clock, no environment) and is shared by the
recorder Lambda, the Glue jobs and Airflow; `custody.aws` is its boto3-facing side. Only packages
and the two modules that all of them need stand here.
"""
