"""What the DAGs share: defaults and settings as templates, and tasks. The only package that imports
Airflow.

Not here: wiring, which is the DAG files' own (`dags/`).
"""
