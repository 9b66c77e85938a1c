"""The console: pages of HTML about custody, for Airflow's web server and for a file.

`reading` gathers what the runs signed, `objects` what is known of one object, `rendering` makes
pages of it, `app` serves them. Not here: what is shown (`custody.core.console`), and Airflow
(`plugins/custody_console.py`).
"""
