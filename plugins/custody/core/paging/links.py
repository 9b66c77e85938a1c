"""Where a page leads: the finding in the console, the run in Airflow, the object version, the log
file and the recorder's log in AWS's console. Whatever somebody typed is percent-encoded in them.

Addresses: Airflow's are of its pages since 3.0; AWS documents none of its console's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from custody.core.ledger.rows import CATALOG, CONTROL, LedgerRow
from custody.core.ledger.verdicts import Verdict
from custody.objects import UNVERSIONED

_CONSOLES: Final[Mapping[str, str]] = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""AWS's console in each partition."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where links may lead: Airflow's address (empty: nobody knows it), the run of a DAG that
    tells, the region and partition of the deployment, and the bucket of its trail."""

    airflow: str = ""
    dag_id: str = ""
    run_id: str = ""
    region: str = ""
    partition: str = "aws"
    trail_bucket: str = ""

    @property
    def of_run(self) -> dict[str, str]:
        """The run in Airflow."""
        if not (self.airflow and self.run_id):
            return {}
        run = f"dags/{quote(self.dag_id, safe='')}/runs/{quote(self.run_id, safe='')}"
        return {"run": f"{self._airflow}/{run}"}

    def of_findings(self, **asked: str) -> dict[str, str]:
        """The findings of the console that are asked for, and the run."""
        if not self.airflow:
            return {}
        return {"console": f"{self._airflow}/custody/findings?{urlencode(asked)}", **self.of_run}

    def of_dead_letters(self, queue: str) -> dict[str, str]:
        """What has no record, the run that looked into the queue, and what the recorder said."""
        found = self.of_findings(verdict=Verdict.UNRECORDED.value, state="open")
        if self._aws:
            group = f"/aws/lambda/{queue.removesuffix('-dlq')}"
            # CloudWatch's pages have a name encoded twice, with another sign.
            named = quote(quote(group, safe=""), safe="").replace("%", "$")
            logs = f"{self._aws}/cloudwatch/home?region={self.region}#logsV2:log-groups/log-group/"
            found["recorder log"] = logs + named
        return found

    @property
    def of_watching(self) -> dict[str, str]:
        """How long nobody has judged, and the run that failed."""
        return {"console": f"{self._airflow}/custody/", **self.of_run} if self.airflow else {}

    def of_finding(self, finding: LedgerRow) -> dict[str, str]:
        """All that a finding has a place of."""
        found = {}
        if self.airflow:
            page = f"{self._airflow}/custody/findings/{finding.fingerprint}"
            found = {"console": page, "runbook": f"{page}#runbook", **self.of_run}
        if finding.bucket not in (CATALOG, CONTROL):
            found |= self._object("object", finding.bucket, finding.object_key, finding.version_id)
        if finding.log_key is not None:
            found |= self._object("log file", self.trail_bucket, finding.log_key)
        return found

    @property
    def _airflow(self) -> str:
        return self.airflow.rstrip("/")

    @property
    def _aws(self) -> str:
        """AWS's console; empty where nobody knows which."""
        console = _CONSOLES.get(self.partition)
        return f"https://{self.region}.{console}" if self.region and console else ""

    def _object(
        self, name: str, bucket: str, key: str, version_id: str = UNVERSIONED
    ) -> dict[str, str]:
        if not (self._aws and bucket):
            return {}
        asked = {"region": self.region, "prefix": key}
        if version_id != UNVERSIONED:
            asked["versionId"] = version_id
        place = f"{self._aws}/s3/object/{quote(bucket, safe='')}"
        return {name: f"{place}?{urlencode(asked, errors='replace')}"}


NOWHERE: Final = Places()
"""Of a page that leads nowhere."""
