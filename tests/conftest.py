"""What every test needs: Airflow's settings, read when it is first imported, and no stopwatch."""

import atexit
import functools
import importlib.util
import os
import shutil
import tempfile

import botocore.session

# Else each session of botocore, and most tests make some, reads its models of AWS anew.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

_AIRFLOW_HOME = tempfile.mkdtemp(prefix="custody-airflow-")
atexit.register(shutil.rmtree, _AIRFLOW_HOME, ignore_errors=True)
os.environ.update(
    {
        "AIRFLOW_HOME": _AIRFLOW_HOME,
        # Ends a hang: a machine under load may take long to read a file of DAGs.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "900",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "true",
    }
)

# The environments of the Glue jobs and of the local AWS have no property tests.
if importlib.util.find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings
    from tests.support.thoroughness import THOROUGH

    settings.register_profile(
        "custody",
        # How long examples take measures the machine and what else runs on it, not our code.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        max_examples=200 if THOROUGH else 50,
    )
    settings.load_profile("custody")
