"""One run of a job, from its start as the job's role to its state, logs and error message.

`localaws.glue.service` answers the API from what is kept here; the Spark that a script finds is in
`localaws.glue.spark`.
"""
