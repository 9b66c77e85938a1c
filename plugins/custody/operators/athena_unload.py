"""UNLOAD with a place of its own for every attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import Context


class AthenaUnloadOperator(AthenaOperator):
    """Run an UNLOAD and return the S3 URI it wrote to.

    Athena refuses to unload into a place that holds files, such as those of an attempt that failed
    half-way. So ``location`` should differ with every attempt (``{{ ti.id }}`` does), and the tasks
    that follow must be told which it was: the provider's operator returns the id of the query.

    :param location: S3 URI, ending in ``/``; the statement names it as ``{{ task.location }}``.
        (templated)
    """

    # location comes first: the query's template reads it rendered.
    template_fields: Sequence[str] = ("location", *AthenaOperator.template_fields)

    def __init__(self, *, location: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.location = location

    def execute(self, context: Context) -> str | None:
        """Start the statement; wait here unless the operator is deferrable."""
        super().execute(context)
        return self.location

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> str:
        """Check how the statement ended; raises if it failed."""
        super().execute_complete(context, event)
        return self.location
