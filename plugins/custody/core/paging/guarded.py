"""What a control protects, in words: so that whoever is woken by its change knows what is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GUARDED: Final[Mapping[tuple[str, str], str]] = {
    ("airflow", "environment"): "which code runs as Airflow, and that it runs",
    ("athena", "workgroup"): "where results of queries lie, and under which key",
    ("cloudformation", "stack"): "all that was deployed",
    ("cloudtrail", "trail"): "that every call is logged, and each log file proven",
    ("events", "rule"): "that people hear of calls that are alarms",
    ("glue", "catalog"): "who may change the tables that readers see",
    ("glue", "database"): "what readers see of silver, gold and the verdicts",
    ("glue", "job"): "which code builds silver and gold, judges, and signs",
    ("glue", "security configuration"): "under which key jobs write",
    ("glue", "table"): "what readers see of silver, gold and the verdicts",
    ("iam", "group"): "what its users may do",
    ("iam", "identity provider"): "who may sign in from elsewhere",
    ("iam", "policy"): "what the roles that have it may do",
    ("iam", "role"): "who may work as it, and what it may do",
    ("iam", "user"): "who may sign in as it, and what it may do",
    ("kms", "alias"): "which key goes by that name",
    ("kms", "key"): "who may sign or read what it is for, and that it can be used",
    ("lakeformation", "database"): "who may read and change its tables",
    ("lakeformation", "lake"): "who may read and change tables",
    ("lambda", "function"): "that every file that lands is hashed, and by which code",
    ("monitoring", "alarm"): "that people hear when nobody judges",
    ("s3", "access grants"): "who may read and write what buckets hold",
    ("s3", "access point"): "who may read and write what its bucket holds",
    ("s3", "account"): "that no bucket is open to strangers",
    ("s3", "bucket"): "who may read, write and remove what it holds",
    ("sns", "topic"): "that people get the pages",
    ("sqs", "queue"): "that the recorder hears of every file that lands",
    ("ssm", "parameter"): "the settings that Airflow works by",
}
"""By the service and the kind of thing."""

_OF_BUCKETS: Final[Mapping[str, str]] = {
    "encryption": "under which key it keeps what is put there",
    "lifecycle rules": "that no rule removes what must stay",
    "lock": "that nothing in it is removed before its time",
    "notifications": "that the recorder hears of every file that lands",
    "openness": "that it is closed to strangers",
    "replication": "the second copy of what it holds",
    "versioning": "that what is overwritten or deleted in it stays",
}
"""Of a bucket, by the aspect of it, where it is not about who may do what."""

_USE: Final = "what works in the name of a role of the platform"


def guarded_by(control: str) -> str:
    """What a control protects, by its name in the ledger: service, thing, name and aspect."""
    service, _, rest = control.partition("/")
    thing, _, name = rest.partition("/")
    aspect = name.rpartition("/")[2]
    if thing == "role" and aspect == "use":
        return _USE
    if thing == "bucket" and aspect in _OF_BUCKETS:
        return _OF_BUCKETS[aspect]
    return GUARDED.get((service, thing), "what the platform can do, see and tell")
