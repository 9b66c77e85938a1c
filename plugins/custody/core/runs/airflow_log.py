"""What people did in Airflow, as Airflow's own audit log has it: who, when, what, and on what.

It is Airflow's word, so a claim: it decides nothing, and a run states it beside what it found. Of
an entry's `extra` nothing is kept but names and states, for values of variables and connections
are secrets.

Source: "Audit Logs" in Airflow's documentation; the entries are those of `GET /api/v2/eventLogs`,
named after the functions that serve the API.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from custody.core.formats.s3_fields import instant
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json

OVERLAP: Final = timedelta(minutes=10)
"""How much of what the run before asked for is asked for again: a run may be as of a moment that
is five minutes to come."""

MAX_ACTS: Final = 200
MAX_ALIKE: Final = 20
"""Acts of one person and event that are told one by one, so that many hide none of another kind."""
_MAX_KINDS: Final = 100_000
_MAX_NAMES: Final = 10
_MAX_TEXT: Final = 250
_MAX_EXTRA: Final = 8 * 1024 * 1024
"""More than MWAA passes on: no description that somebody made long hides what he named."""


class Verb(StrEnum):
    """What an act does."""

    MARK = "mark"
    CLEAR = "clear"
    PAUSE = "pause"
    TRIGGER = "trigger"
    BACKFILL = "backfill"
    VARIABLE = "variable"
    CONNECTION = "connection"
    POOL = "pool"
    XCOM = "xcom"
    DELETE = "delete"
    COMMAND = "command"
    """By Airflow's command line; `who` is a user of the machine."""
    OTHER = "other"


def _each(verb: Verb, events: str) -> dict[str, Verb]:
    return dict.fromkeys(events.split(), verb)


VERBS: Final[Mapping[str, Verb]] = {
    **_each(
        Verb.MARK, "bulk_dag_runs patch_dag_run patch_task_group_instances patch_task_instance"
    ),
    **_each(
        Verb.CLEAR,
        "clear_dag_run clear_dag_run_partitions clear_dag_runs post_clear_task_instances",
    ),
    **_each(Verb.PAUSE, "patch_dag patch_dags"),
    **_each(Verb.TRIGGER, "create_asset_event materialize_asset trigger_dag_run"),
    **_each(Verb.BACKFILL, "cancel_backfill create_backfill pause_backfill unpause_backfill"),
    **_each(Verb.VARIABLE, "bulk_variables delete_variable patch_variable post_variable"),
    **_each(
        Verb.CONNECTION,
        "bulk_connections create_default_connections delete_connection enqueue_connection_test"
        " patch_connection post_connection",
    ),
    **_each(Verb.POOL, "bulk_pools delete_pool patch_pool post_pool"),
    **_each(Verb.XCOM, "create_xcom_entry delete_xcom_entry update_xcom_entry"),
    **_each(
        Verb.DELETE,
        "delete_asset_queued_events delete_dag delete_dag_asset_queued_event"
        " delete_dag_asset_queued_events delete_dag_run",
    ),
    **_each(Verb.OTHER, "generate_token reparse_dag_file update_hitl_detail"),
}
"""Every event of Airflow 3.3 that somebody causes and that changes something."""

OF_NO_CONCERN: Final = frozenset({"favorite_dag", "get_task_instances_batch", "unfavorite_dag"})
"""Events that somebody causes, and that change nothing for anybody else."""

MACHINES: Final = frozenset(
    {
        *("deferred", "failed", "queued", "removed", "restarting", "running", "scheduled"),
        *("skipped", "success", "up_for_reschedule", "up_for_retry", "upstream_failed"),
        "awaiting_input",
        "fail task",
        "failed to map partition_key",
        "heartbeat timeout",
        "missing partition key",
        "partition fan-out exceeded",
        "skip task",
        "state mismatch",
        "stuck in queued reschedule",
        "stuck in queued tries exceeded",
    }
)
"""Events that Airflow causes itself: what becomes of tasks, and what the scheduler sees."""

_COMMAND: Final = "cli_"

# Where an entry's `extra` names what the act is about, by verb. A name may be one or a list.
_NAMES: Final[Mapping[Verb, tuple[str, ...]]] = {
    Verb.MARK: ("group_id", "dag_run_id"),
    Verb.CLEAR: ("task_ids", "dag_run_id"),
    Verb.TRIGGER: ("asset_id",),
    Verb.BACKFILL: ("backfill_id",),
    Verb.VARIABLE: ("key", "variable_key"),
    Verb.CONNECTION: ("connection_id",),
    Verb.POOL: ("pool_name", "name", "pool"),
    Verb.XCOM: ("xcom_key", "key"),
}
# Where it says to which state something was put, and what a state looks like.
_STATES: Final[Mapping[Verb, tuple[str, ...]]] = {
    Verb.MARK: ("new_state", "state"),
    Verb.PAUSE: ("is_paused",),
}
_STATE: Final = re.compile(r"[a-z_]{1,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Act:
    """One entry: Airflow's number of it, when, who, Airflow's name of what was done, and on what.

    `names` are those of what it is about besides: variables, connections, pools, tasks (of many the
    first). `state` is what something was put to, empty where the act puts nothing to a state.
    """

    number: int
    at: datetime
    who: str
    event: str
    dag: str = ""
    run: str = ""
    task: str = ""
    names: tuple[str, ...] = ()
    state: str = ""

    @property
    def verb(self) -> Verb:
        """What it does; of a name that is not known here, `OTHER`."""
        if self.event.startswith(_COMMAND):
            return Verb.COMMAND
        return VERBS.get(self.event, Verb.OTHER)

    @property
    def on(self) -> tuple[str, ...]:
        """What it was done to, from the DAG to the names."""
        return tuple(filter(None, (self.dag, self.run, self.task, *self.names)))


@dataclass(frozen=True, slots=True)
class AirflowLog:
    """What Airflow says people did between `since` and `until`.

    Of very many alike some are only counted (`left_out`, by person and event). `unread` entries
    were more than is read. `trouble` says why Airflow could not be asked, or not to the end; then
    what else was done is not known.
    """

    since: datetime
    until: datetime
    acts: tuple[Act, ...] = ()
    left_out: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unread: int = 0
    trouble: str = ""

    @classmethod
    def of(
        cls,
        entries: Iterable[object],
        since: datetime,
        until: datetime,
        *,
        unread: int = 0,
        trouble: str = "",
    ) -> AirflowLog:
        """What people did, of the log's `entries`, as the API gives them.

        Raises `MalformedInput` for what is no entry.
        """
        acts, alike, left_out = list[Act](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for act in _acts(entries):
            kind = (act.who, act.event)
            if len(acts) < MAX_ACTS and alike[kind] < MAX_ALIKE:
                acts.append(act)
                alike[kind] += 1
            else:
                left_out[kind] += 1
        return cls(since, until, tuple(acts), left_out, unread, _shown(trouble))

    def to_document(self) -> dict[str, object]:
        """As the run's report has it."""
        return {
            "since": format_utc(self.since),
            "until": format_utc(self.until),
            "acts": [_document(act) for act in self.acts],
            "left_out": [[*kind, count] for kind, count in sorted(self.left_out.items())],
            "unread": self.unread,
            "trouble": self.trouble,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> AirflowLog:
        """Read what `to_document` gives; raises `MalformedInput`."""
        fields = Fields(document, "airflow")
        counts = fields.items("left_out", max_items=_MAX_KINDS)
        return cls(
            since=instant(fields, "since"),
            until=instant(fields, "until"),
            acts=tuple(
                _act(Fields.of(item, f"airflow.acts[{n}]"))
                for n, item in enumerate(fields.items("acts", max_items=MAX_ACTS))
            ),
            left_out=dict(_count(item, f"airflow.left_out[{n}]") for n, item in enumerate(counts)),
            unread=fields.count("unread"),
            trouble=_text(fields, "trouble"),
        )


def log_since(last: datetime | None, begin: datetime) -> datetime:
    """From when on a run asks what people did: since the run before it, which was as of `last`, or
    since `begin` if there was none."""
    return begin if last is None else last - OVERLAP


def _acts(entries: Iterable[object]) -> Iterator[Act]:
    for number, entry in enumerate(entries):
        fields = Fields.of(entry, f"event_logs[{number}]")
        event = _text(fields, "event")
        if event in MACHINES or event in OF_NO_CONCERN:
            continue
        extra = _extra(fields)
        verb = VERBS.get(event, Verb.OTHER)
        yield Act(
            number=fields.count("event_log_id"),
            at=instant(fields, "when"),
            who=_text(fields, "owner"),
            event=event,
            dag=_text(fields, "dag_id"),
            run=_text(fields, "run_id"),
            task=_text(fields, "task_id"),
            names=tuple(dict.fromkeys(_named(extra, _NAMES.get(verb, ()))))[:_MAX_NAMES],
            state=_state(extra, _STATES.get(verb, ())),
        )


def _extra(fields: Fields) -> Mapping[str, object]:
    """What else the API was asked with; of anything but an object, nothing."""
    raw = fields.values.get("extra")
    if not isinstance(raw, str):
        return {}
    try:
        found = load_json(raw, what="extra", max_bytes=_MAX_EXTRA)
    except MalformedInput:
        return {}
    return found if isinstance(found, Mapping) else {}


def _named(extra: Mapping[str, object], wanted: tuple[str, ...]) -> Iterator[str]:
    """The names of what a call was about; of one about many at once, those of each."""
    for name in wanted:
        value = extra.get(name)
        for one in value if isinstance(value, list) else [value]:
            # A mapped task is named with its index.
            named = one[0] if isinstance(one, list) and one else one
            if isinstance(named, str | int):
                yield _shown(str(named))
    actions = extra.get("actions") if wanted else None
    for action in actions if isinstance(actions, list) else []:
        entities = action.get("entities") if isinstance(action, Mapping) else None
        for entity in entities if isinstance(entities, list) else []:
            if isinstance(entity, str):
                yield _shown(entity)
            elif isinstance(entity, Mapping):
                yield from _named({name: entity.get(name) for name in wanted}, wanted)


def _state(extra: Mapping[str, object], wanted: tuple[str, ...]) -> str:
    found = (str(extra[name]).lower() for name in wanted if extra.get(name) is not None)
    return next((state for state in found if _STATE.fullmatch(state)), "")


def _text(fields: Fields, name: str) -> str:
    value = fields.values.get(name)
    return _shown(value) if isinstance(value, str) else ""


def _shown(text: str) -> str:
    """A text that somebody in Airflow may have chosen, as UTF-8 can carry it, and not whole."""
    return text[:_MAX_TEXT].encode("utf-8", "backslashreplace").decode("utf-8")


def _document(act: Act) -> dict[str, object]:
    """An act; what it has nothing of is left out."""
    found: dict[str, object] = {
        "number": act.number,
        "at": format_utc(act.at),
        "who": act.who,
        "verb": act.verb.value,
        "event": act.event,
        "dag": act.dag,
        "run": act.run,
        "task": act.task,
        "names": list(act.names),
        "state": act.state,
    }
    return {name: value for name, value in found.items() if value not in ("", [])}


def _act(fields: Fields) -> Act:
    names = fields.values.get("names", [])
    return Act(
        number=fields.count("number"),
        at=instant(fields, "at"),
        **{name: _text(fields, name) for name in ("who", "event", "dag", "run", "task", "state")},
        names=tuple(_shown(str(name)) for name in (names if isinstance(names, list) else [])),
    )


def _count(item: object, where: str) -> tuple[tuple[str, str], int]:
    if not isinstance(item, list) or len(item) != len(("who", "event", "count")):
        raise MalformedInput(where, "must be a person, an event and how many")
    who, event, count = item
    return (_shown(str(who)), _shown(str(event))), Fields({"count": count}, where).count("count")
