"""The rules of custody, as pure functions of their arguments: no I/O, no clock, no environment.

Not here: whatever asks AWS, Airflow or Spark (`custody.aws`, `custody.tasks`, `custody.spark`).
Some modules need `cryptography`, which the Lambda runtime does not have: the recorder imports none
of them, and `make lint` holds it.
"""
