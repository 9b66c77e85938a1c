"""What people did in Airflow, asked of its own audit log through MWAA.

MWAA signs in whoever may call `InvokeRestApi`, as the role of Airflow's that IAM allows: no
password and no token is handed to anybody. Airflow elsewhere has nothing of the kind, so there
nobody is asked (docs/adr/080-what-people-do-in-airflow.md).
"""

from __future__ import annotations

import logging
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.runs.airflow_log import MACHINES, OF_NO_CONCERN, AirflowLog

log = logging.getLogger(__name__)

_PAGE: Final = 100
"""Entries in an answer: Airflow's own limit (`maximum_page_limit`). MWAA passes 6 MB at most."""

_MOST: Final = 2_000
"""Entries that are read: of what people do in an hour, some hundred times as much as is usual."""


class _NoAnswer(Exception):
    """Airflow has not said what it was asked; the text says what it said."""


def airflow_log(mwaa: Any, environment: str, *, since: datetime, until: datetime) -> AirflowLog:
    """What people did in the Airflow of an MWAA environment after `since`, read at `until`.

    Where Airflow does not answer, that is what the log says (`trouble`), beside what was read
    before: nothing is raised for it.
    """
    entries, total, trouble = list[object](), 0, ""
    try:
        while not entries or len(entries) < min(total, _MOST):
            page = _page(mwaa, environment, since, len(entries))
            found = page.items("event_logs", max_items=_PAGE)
            total = page.count("total_entries")
            entries += found
            if not found:
                break
        unread = max(0, total - len(entries))
        return AirflowLog.of(entries, since, until, unread=unread)
    except (BotoCoreError, ClientError, MalformedInput, ResponseParserError, _NoAnswer) as error:
        trouble = _told(error)
        log.warning("Airflow's audit log of %s could not be read: %s", environment, error)
    try:
        return AirflowLog.of(entries, since, until, trouble=trouble)
    except MalformedInput:
        return AirflowLog(since, until, trouble=trouble)


def _page(mwaa: Any, environment: str, since: datetime, offset: int) -> Fields:
    """The entries from the `offset`th on, the first that were made first."""
    if not hasattr(mwaa, "invoke_rest_api"):
        raise _NoAnswer("this version of boto3 knows no InvokeRestApi")
    said = mwaa.invoke_rest_api(
        Name=environment,
        Path="/eventLogs",
        Method="GET",
        QueryParameters={
            "after": since.isoformat(),
            "excluded_events": sorted(MACHINES | OF_NO_CONCERN),
            "limit": _PAGE,
            "offset": offset,
            "order_by": "event_log_id",
        },
    )
    answer = Fields.of(said, "MWAA's answer")
    status = answer.count("RestApiStatusCode")
    if status != HTTPStatus.OK:
        raise _NoAnswer(f"Airflow answers {status}")
    return answer.child("RestApiResponse")


def _told(error: Exception) -> str:
    """What is stated of an error: what kind it is, and no more of what AWS or Airflow says."""
    if isinstance(error, ClientError):
        status = error.response.get("RestApiStatusCode")
        code = str(error.response.get("Error", {}).get("Code", ""))
        return f"{code}: Airflow answers {status}" if status is not None else code
    is_ours = isinstance(error, MalformedInput | _NoAnswer)
    return str(error) if is_ours else type(error).__name__
