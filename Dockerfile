# Airflow 3.3.1 on Python 3.12, as MWAA runs it; the runtime's own default is a later Python.
# The image installs packages.txt and requirements.txt, and copies what .dockerignore leaves.
FROM astrocrpublic.azurecr.io/runtime:3.3-7-python-3.12
