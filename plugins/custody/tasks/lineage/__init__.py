"""What OpenLineage is told of the jobs' runs: by the provider's events, from what the runs signed.

The provider of Airflow makes and sends the events; here is what it cannot know of itself. A
statement is the truth (`custody.core.lineage`), an event tells of it and names it. Nothing reads
events back.
"""
