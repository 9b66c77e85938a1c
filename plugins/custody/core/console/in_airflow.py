"""What people did in Airflow in some days, by what each run states of it: Airflow's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from custody.core.runs.airflow_log import Act, AirflowLog


@dataclass(frozen=True, slots=True)
class InAirflow:
    """The `acts` that runs told of one by one, the latest first; how many more they counted, by
    person and event (`left_out`); how many entries no run read; and since when Airflow was asked
    (None: no run did). `trouble` says why the last run knows nothing, or not all."""

    acts: Sequence[Act]
    left_out: Mapping[tuple[str, str], int]
    unread: int
    since: datetime | None
    trouble: str


def in_airflow(logs: Iterable[AirflowLog]) -> InAirflow:
    """What these logs tell together, each act once: runs ask for some minutes twice. What is only
    counted may be counted twice so."""
    told = sorted(logs, key=lambda log: log.until)
    acts = {(act.number, act.at): act for log in told for act in log.acts}
    left_out = Counter[tuple[str, str]]()
    for log in told:
        left_out.update(log.left_out)
    return InAirflow(
        acts=sorted(acts.values(), key=lambda act: (act.at, act.number), reverse=True),
        left_out=left_out,
        unread=sum(log.unread for log in told),
        since=min((log.since for log in told), default=None),
        trouble=told[-1].trouble if told else "",
    )
