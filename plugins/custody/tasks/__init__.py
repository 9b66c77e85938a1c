"""What the DAGs share: defaults and settings as templates, and tasks. The only package that imports
Airflow.

Not here: wiring, which is the DAG files' own (`dags/`).
"""

from airflow.providers.amazon import __version__

from custody.tasks.provider import check_provider

# Once, for every DAG: each of them imports this package.
check_provider(__version__)
