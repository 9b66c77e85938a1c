"""What a deployment declares: its buckets, who may do what, and how late evidence may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from custody.core.answers.model import ANSWER_PREFIX
from custody.core.lineage.model import LINEAGE_PREFIX, Run, run_of
from custody.core.publications.expiry import EXPIRY_PREFIX, Removable
from custody.core.records.names import LATE_PREFIX, RECORD_PREFIX
from custody.core.runs.model import RUN_PREFIX
from custody.core.seal.layout import SEAL_PREFIX

# The declared writers, by the names of the platform's roles.

AIRFLOW: Final = "airflow"
AUDITOR: Final = "audit"
BUILDER: Final = "glue"
EXPIRER: Final = "expiry"
ON_CALL: Final = "on-call"

LAYER_WRITERS: Final[Mapping[str, tuple[str, ...]]] = {
    "silver": (BUILDER,),
    "gold": (BUILDER, AUDITOR, AIRFLOW),  # gold, quality; what judges; pages and publications
}
"""The roles that may write to a layer. Those that write to bronze are not the platform's."""

WRITERS_BELOW: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "gold": {
        "gold": (BUILDER,),
        "quality": (BUILDER,),
        "reconciliation": (AUDITOR,),
        "audit": (AUDITOR,),
        "record_checks": (AUDITOR,),
        "lineage_checks": (AUDITOR,),
        "pages": (AIRFLOW,),
        "publications": (AIRFLOW,),
    }
}
"""Of a layer that several roles write to: each one's part, by what keys begin with. Clients of S3
also keep markers beside a folder (`gold_$folder$`), so that no slash ends the names."""

RECORDERS: Final = ("recorder", "recorder-large")
"""The roles that may write records."""

PREFIX_WRITERS: Final[Mapping[str, tuple[str, ...]]] = {
    LINEAGE_PREFIX: (BUILDER,),
    RUN_PREFIX: (AUDITOR,),
    EXPIRY_PREFIX: (AUDITOR,),
    ANSWER_PREFIX: (AIRFLOW, ON_CALL),
    SEAL_PREFIX: (AUDITOR,),
    LATE_PREFIX: (RECORDERS[0],),
}
"""The roles that may write to the provenance bucket beside the records, by key prefix."""

MAX_LATE: Final = timedelta(days=1)
"""How long a record may come after its write when the recorder has noted that it is late: as long
as the queue has it try (`queue.yaml`)."""

REPLICATION: Final = "replication"
"""The role that S3 copies evidence as, into buckets of the deployment that no setting names."""

UNHASHED: Final[Mapping[str, tuple[str, ...]]] = {
    "results": (AIRFLOW,),
}
"""The roles that may write to a bucket that holds neither evidence nor data, by its layer; to any
other, those may who deploy, and to one without a layer the copying role."""

ATHENA: Final = "athena.amazonaws.com"
"""What writes query results for whoever asks."""

CATALOG_WRITERS: Final = (AIRFLOW,)
"""The roles that may change the Glue database's tables and partitions."""

CONTROL_WRITERS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("database", "set-up"): CATALOG_WRITERS,
    ("job", "runs"): (AIRFLOW, RECORDERS[0]),
}
"""The roles that may change a control by their work, by the thing and the aspect of it."""

CLOUDFORMATION: Final = "cloudformation"
"""The role that CloudFormation works as for who deploys, where there is one."""

WRITERS: Final = (BUILDER, AUDITOR, AIRFLOW, *RECORDERS)
"""Every role that may write anything."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The declarations that evidence is judged by.

    `layers` maps each bucket of the platform to its layer. `writers` are the ARNs (of users or
    roles) that may write to a layer, or to a part of it (`writers_below`), `recorders` the roles
    that may write records, `prefix_writers` those that may write to the provenance bucket beside
    the records, by key prefix, and `unhashed_writers` those (services that write for whoever uses
    them included) that may write to a bucket whose objects nobody records, by layer; `copiers`
    write copies of evidence to buckets without a layer. `expirers` hide what lies of runs that
    expire, and `removable` are those of which that was stated. `retired` are ARNs that were writers
    of bronze, and until when, by what the keys begin with that they might write. `assumed_by` maps
    each of the platform's roles to those who may assume it beside AWS's own services. `trail` is
    the name of the trail, `database` the Glue database, and `catalog_writers` may change its tables
    and partitions. `deployment` begins the names of everything that was deployed, `named` has the
    platform's things that are called otherwise, by kind of thing; `deployers` change them through
    CloudFormation, and `control_writers` may change some by their work, by thing and aspect.
    `as_of` is the time of judging; a record may arrive `grace` after the write, CloudTrail's event
    `delivery` after it (None: as long as a record). `recorded` and `closed` say before which time
    none is awaited any more, whatever the grace: what was judged then is final.
    """

    as_of: datetime
    grace: timedelta
    layers: Mapping[str, str]
    writers: Mapping[str, tuple[str, ...]]
    recorders: tuple[str, ...]
    prefix_writers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unhashed_writers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    copiers: tuple[str, ...] = ()
    expirers: tuple[str, ...] = ()
    removable: Mapping[Run, Removable] = field(default_factory=dict)
    assumed_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trail: str = ""
    database: str = ""
    catalog_writers: tuple[str, ...] = ()
    writers_below: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    retired: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    deployment: str = ""
    named: Mapping[str, frozenset[str]] = field(default_factory=dict)
    deployers: tuple[str, ...] = ()
    control_writers: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    delivery: timedelta | None = None
    recorded: datetime | None = None
    closed: datetime | None = None

    def awaits_record(self, written: datetime) -> bool:
        """Whether the record of a write may still come."""
        is_final = self.recorded is not None and written < self.recorded
        return not is_final and written + self.grace > self.as_of

    def awaits_event(self, written: datetime) -> bool:
        """Whether CloudTrail's event of a write may still come."""
        is_final = self.closed is not None and written < self.closed
        return not is_final and written + self._delivery > self.as_of

    @property
    def _delivery(self) -> timedelta:
        return self.grace if self.delivery is None else self.delivery

    @property
    def delivery_text(self) -> str:
        """How late an event may be, in words."""
        minutes = int(self._delivery.total_seconds() // 60)
        return f"{minutes // 60} hours" if minutes >= 120 else f"{minutes} minutes"

    @property
    def grace_text(self) -> str:
        """The grace period in words."""
        return f"{int(self.grace.total_seconds() // 60)} minutes"

    def layer_of(self, bucket: str) -> str:
        """The layer of a bucket, `"no layer"` for a bucket that is not the platform's."""
        return self.layers.get(bucket, "no layer")

    def has_bucket(self, bucket: str) -> bool:
        """Whether a bucket is the platform's: declared, or called as whatever was deployed is."""
        own = f"{self.deployment}-" if self.deployment else None
        return bucket in self.layers or (own is not None and bucket.startswith(own))

    def writers_of(self, bucket: str, key: str, *, at: datetime | None = None) -> tuple[str, ...]:
        """Who may write an object: its layer's writers, or those of the part that it lies in; also
        those who were retired later than `at`. What lies in no part of a layer that has some,
        nobody may write."""
        layer = self.layers.get(bucket, "")
        if layer in self.writers_below:
            writers = self.writers_below[layer].get(self._part(layer, key), ())
        else:
            writers = self.writers.get(layer, ())
        if layer == "bronze" and at is not None:
            return (*writers, *self._retired(key, at))
        return writers

    def has_expired(self, bucket: str, key: str, at: datetime) -> bool:
        """Whether an object might be hidden then, as one of a run that had expired."""
        run = run_of(key)
        removable = self.removable.get(run) if run is not None else None
        return removable is not None and removable.explains(bucket, key, at)

    def place_of(self, bucket: str, key: str) -> str:
        """What an object's writers are the writers of, in words: its layer, or a part of it."""
        layer = self.layer_of(bucket)
        part = self._part(layer, key)
        return layer if part in ("", layer) else f"{part} in {layer}"

    def _part(self, layer: str, key: str) -> str:
        """The part of a layer that a key lies in; empty for none."""
        parts = self.writers_below.get(layer, ())
        return max((part for part in parts if key.startswith(part)), key=len, default="")

    def _retired(self, key: str, at: datetime) -> Iterator[str]:
        """Who might write to a key of bronze then, and may not any more."""
        for beginning, ends in self.retired.items():
            if key.startswith(beginning):
                yield from (arn for arn, until in ends.items() if at < until)

    def writers_beside(self, bucket: str, key: str) -> tuple[str, tuple[str, ...]]:
        """Who may write an object that nobody records, and to what: a prefix of the provenance
        bucket (empty for none), or a whole bucket."""
        layer = self.layers.get(bucket, "")
        if not layer:
            return bucket, (*self.deployers, *self.copiers)
        if layer != "provenance":
            return layer, self.unhashed_writers.get(layer, self.deployers)
        prefixes = {RECORD_PREFIX: self.recorders, **self.prefix_writers}
        within = (prefix for prefix in prefixes if key.startswith(prefix))
        prefix = max(within, key=len, default="")
        return prefix, prefixes.get(prefix, ())
