"""A run's output in CloudWatch Logs, where Glue puts it: stdout in output, stderr in error."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

# The end of a long output is what explains a run; the whole is in the run's folder.
_MAX_BYTES = 900_000
_MAX_EVENTS = 5_000


def push(client: Any, log_group: str, run_id: str, folder: Path) -> None:
    """Write a run's stdout and stderr; `client` acts as the job's role. Raises ClientError."""
    for stream, group in (("stdout", f"{log_group}/output"), ("stderr", f"{log_group}/error")):
        _create(client.create_log_group, client, logGroupName=group)
        _create(client.create_log_stream, client, logGroupName=group, logStreamName=run_id)
        events = _events(folder / stream)
        if events:
            client.put_log_events(logGroupName=group, logStreamName=run_id, logEvents=events)


def _create(operation: Any, client: Any, **names: str) -> None:
    try:
        operation(**names)
    except client.exceptions.ResourceAlreadyExistsException:
        return


def _events(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _MAX_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    now = int(time.time() * 1000)
    return [{"timestamp": now, "message": line} for line in lines[-_MAX_EVENTS:] if line]
