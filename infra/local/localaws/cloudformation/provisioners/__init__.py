"""CloudFormation types that ministack lacks or provides in part, a module for each.

ministack keeps its provisioners in a registry by type. `register` adds what is missing, and follows
some of ministack's own with what they ignore. A bucket property that nobody would set fails the
stack, as a type nobody knows does; of other types `readback` tells.
"""

from localaws.cloudformation.provisioners import (
    airflow,
    buckets,
    budgets,
    catalog_encryption,
    functions,
    log_groups,
    nested,
    network,
    roles,
    security_configurations,
    topics_and_jobs,
    trail,
)


def register() -> None:
    """Add our types and completions to ministack's registry."""
    modules = (
        *(airflow, buckets, budgets, catalog_encryption, functions, log_groups, nested, network),
        *(roles, security_configurations, topics_and_jobs, trail),
    )
    for module in modules:
        module.register()
