"""What of an Airflow is not there yet."""

from collections.abc import Sequence, Set

import requests

_PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


def ailing(http: requests.Session, url: str) -> list[str]:
    """The parts of the Airflow at an address that do not report themselves healthy."""
    try:
        answer = http.get(f"{url}/api/v2/monitor/health", timeout=30)
    except (requests.ConnectionError, requests.Timeout):
        return ["API server"]
    if answer.status_code != requests.codes.ok:
        return ["API server"]
    told = answer.json()
    return [part.replace("_", " ") for part in _PARTS if told[part]["status"] != "healthy"]


def awaited(parts: Sequence[str], wanted: Set[str], there: Set[str]) -> str:
    """What is waited for, in words, given the `parts` that ail and the DAGs that are there; empty
    if nothing is."""
    if parts:
        return f"Not ready yet: {', '.join(parts)}"
    missing = sorted(wanted - there)
    return f"Not read yet: {', '.join(missing)}" if missing else ""
