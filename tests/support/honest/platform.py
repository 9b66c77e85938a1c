"""The honest platform at work: what its people and jobs call, hour by hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tests.support.honest.evidence import History
from tests.support.honest.hours import Activity, Hour
from tests.support.honest.places import (
    AIRFLOW,
    ANALYTICS,
    AUDITOR,
    DEPLOYMENT,
    ENGINEER,
    GLUE,
    KEYS,
    LAYERS,
    PROVENANCE,
    RESULTS,
    STACK,
    START,
    UPLOADERS,
)
from tests.support.honest.seasons import CALM, NEVER, Season
from tests.support.honest.witnesses import Witnesses, session_of, user
from tests.support.management_records import call, partition_moved, service, switched

DEPLOYED: Final = (
    ("glue", "UpdateDatabase", {"name": "custody_local"}),
    ("s3", "PutBucketPolicy", {"bucketName": "raw", "bucketPolicy": {}}),
    ("s3", "PutBucketNotification", {"bucketName": "raw"}),
    ("iam", "PutRolePolicy", {"roleName": f"{STACK}-glue", "policyName": "p"}),
    ("lambda", "UpdateFunctionCode20150331v2", {"functionName": f"{STACK}-recorder"}),
    ("ssm", "PutParameter", {"name": "/custody/local/airflow/variables/custody"}),
    ("kms", "PutKeyPolicy", {"keyId": "key-1", "policyName": "default", "policy": "{}"}),
    ("kms", "UpdateAlias", {"aliasName": f"alias/{STACK}-signing", "targetKeyId": "key-2"}),
)
"""What CloudFormation calls beside switching the trail, when the platform is deployed."""


BACKFILLED_DAYS: Final = 30


def live(hours: Iterable[Hour], season: Season = CALM) -> History:
    """Live the hours, one after the other from `START`, in a season."""
    platform = Platform(season)
    for number, hour in enumerate(hours):
        at = START + timedelta(hours=number, seconds=hour.second)
        platform.live(at, season.of_its_people(at, hour))
    platform.live_season()
    return platform.history()


class Platform(Witnesses):
    """The platform and the time that passes on it."""

    def live(self, at: datetime, hour: Hour) -> None:
        uploader = user(UPLOADERS[hour.who])
        key = KEYS[hour.key]
        match hour.activity:
            case Activity.NOTHING:
                pass
            case Activity.UPLOAD:
                self.put(at, hour, uploader, "raw", key)
            case Activity.MULTIPART | Activity.MULTIPART_TWICE:
                self._multipart(at, hour, uploader, key)
            case Activity.RESTORE:
                self.put(at, hour, uploader, "raw", key)
                self.put(at + timedelta(minutes=1), hour, uploader, "raw", key, "CopyObject")
            case Activity.THAW:
                self.put(at, hour, uploader, "raw", key)
                self.call(at, hour, uploader, "RestoreObject", "raw", key, versionId="v1")
            case Activity.REFUSED:
                self.refused(at, hour, uploader, "PutObject", "raw", key, "SlowDown")
                self.put(at + timedelta(seconds=1), hour, uploader, "raw", key)
            case Activity.READ:
                for name in ("GetObject", "HeadObject", "ListObjects"):
                    self.call(at, hour, uploader, name, "raw", key)
            case _:
                self._run(at, hour)

    # What people and jobs do.

    def _multipart(self, at: datetime, hour: Hour, who: Mapping[str, Any], key: str) -> None:
        upload = self.id("U")
        for name in ("CreateMultipartUpload", "UploadPart", "UploadPart"):
            self.call(at, hour, who, name, "raw", key, uploadId=upload)
        first = self.put(at, hour, who, "raw", key, "CompleteMultipartUpload", uploadId=upload)
        if hour.activity is Activity.MULTIPART_TWICE:
            again = at + timedelta(seconds=hour.dialect)
            answer = {"x-amz-version-id": first} if hour.version_named else None
            self.call(
                again, hour, who, "CompleteMultipartUpload", "raw", key, answer, uploadId=upload
            )

    def live_season(self) -> None:
        """What is done once: the deployments, and thirty days built anew."""
        for at in self.season.deployments:
            self._deploy(at, Hour(Activity.DEPLOY, deliveries=1))
        if self.season.backfill != NEVER:
            at = START + timedelta(hours=self.season.backfill)
            for day in range(BACKFILLED_DAYS):
                layer = "processed" if day % 2 else ANALYTICS
                hour = Hour(Activity.SPARK, layer=layer)
                self._spark(at + timedelta(minutes=day), hour, day=30 - day)

    def _run(self, at: datetime, hour: Hour) -> None:
        match hour.activity:
            case Activity.SPARK:
                self._spark(at, hour)
            case Activity.ROTATE:
                self._rotate(at, hour)
            case Activity.PUBLISH:
                self._publish(at, hour, self.session(at, hour, AIRFLOW, service("airflow")))
            case Activity.JUDGE:
                self._judge(at, hour)
            case _:
                self._deploy(at, hour)
                self._look_around(at, hour)

    def _judge(self, at: datetime, hour: Hour) -> None:
        """The judge's own writes, and those of whoever starts and asks him."""
        judge = self.session(at, hour, AUDITOR, service("glue"))
        run = self.id("jr_")
        for key in (
            f"reconciliation/run={run}/dt=2026-11-01/hour=06/part-0.parquet",
            f"record_checks/dt=2026-11-01/judged=2026-11-01/run={run}/part-0.parquet",
            "audit/heads/trail.json",
        ):
            self.put(at, hour, judge, ANALYTICS, key)
        answer = {"x-amz-version-id": self.id("p")}
        for key in (f"provenance/runs/dt=2026-11-01/{run}.json", "seal/checkpoint"):
            self.call(at, hour, judge, "PutObject", PROVENANCE, key, answer)
        airflow = self.session(at, hour, AIRFLOW, service("airflow"))
        published = f"publications/{run}/dt=2026-11-01/000001.json"
        for key in (f"pages/findings/{run}.json", published):
            self.put(at, hour, airflow, ANALYTICS, key)
        asked = {**airflow, "invokedBy": "athena.amazonaws.com"}
        for who, name in ((airflow, f"{run}.csv"), (asked, f"{run}.csv.metadata")):
            self.call(at, hour, who, "PutObject", RESULTS, name, answer)

    def _spark(self, at: datetime, hour: Hour, day: int = 1) -> None:
        layer, job = hour.layer, self.session(at, hour, GLUE, service("glue"))
        folder = f"{LAYERS[layer]}/customers/dt=2026-11-{day:02}"
        work = f"{folder}/_temporary/0/task-{hour.key}/part-0.parquet"
        part = f"{folder}/run={self.id('run-')}/part-0.parquet"
        seconds = iter(range(60))

        def then() -> datetime:
            return at + timedelta(seconds=next(seconds))

        self.put(then(), hour, job, layer, work)
        self.put(then(), hour, job, layer, part, "CopyObject")
        self.put(then(), hour, job, layer, f"{folder}/")
        for key in (work, f"{folder}/", f"{folder}_$folder$"):
            marker = {"x-amz-version-id": self.id("m"), "x-amz-delete-marker": "true"}
            answer = marker if hour.version_named else None
            self.call(then(), hour, job, "DeleteObject", layer, key, answer)
        self.call(then(), hour, job, "DeleteObjects", layer, "", delete="")
        lineage = f"provenance/lineage/dt=2026-11-01/{self.id('l')}.json"
        answer = {"x-amz-version-id": self.id("p")}
        self.call(then(), hour, job, "PutObject", PROVENANCE, lineage, answer)

    def _publish(self, at: datetime, hour: Hour, airflow: Mapping[str, Any]) -> None:
        """Airflow makes a table of ours, and points a partition that is there already."""
        table = {"databaseName": "custody_local", "tableInput": {"name": "reconciliation"}}
        self.manage(at, hour, call("glue", "CreateTable", dict(airflow), table))
        self.manage(at, hour, partition_moved(dict(airflow)))
        run = {"jobName": "custody-local-reconcile"}
        self.manage(at, hour, call("glue", "StartJobRun", dict(airflow), run))

    def _rotate(self, at: datetime, hour: Hour) -> None:
        who, key = dict(user(UPLOADERS[hour.who])), self.id("AKIA")
        name = who["arn"].rpartition("/")[2]
        made = {"accessKey": {"userName": name, "accessKeyId": key, "status": "Active"}}
        self.manage(at, hour, call("iam", "CreateAccessKey", who, {"userName": name}, made))
        with_it = {**who, "accessKeyId": key}
        ended = {"userName": name, "accessKeyId": "AKIAOLD"}
        self.manage(at, hour, call("iam", "DeleteAccessKey", with_it, ended))
        self.put(at + timedelta(minutes=1), hour, with_it, "raw", KEYS[hour.key])

    def _deploy(self, at: datetime, hour: Hour) -> None:
        """What CloudFormation calls for an engineer."""
        engineer = dict(user(ENGINEER)) | {"invokedBy": "cloudformation.amazonaws.com"}
        clock = f"{at:%H:%M:%S}"
        self.manage(
            at, hour, switched("UpdateTrail", engineer, clock, enableLogFileValidation=True)
        )
        self.manage(at, hour, switched("StartLogging", engineer, clock))
        order = {"changeSetName": "arn:aws:cloudformation:x:1:changeSet/d/1", "stackName": STACK}
        self.manage(
            at, hour, call("cloudformation", "ExecuteChangeSet", dict(user(ENGINEER)), order)
        )
        role = {**session_of(DEPLOYMENT, "AWSCloudFormation"), "accessKeyId": self.id("ASIA")}
        for deployer in (engineer, role | {"invokedBy": "cloudformation.amazonaws.com"}):
            for source, name, asked in DEPLOYED:
                self.manage(at, hour, call(source, name, dict(deployer), asked))

    def _look_around(self, at: datetime, hour: Hour) -> None:
        """What a console asks all day, and what an engineer does beside: also as Airflow."""
        engineer = dict(user(ENGINEER)) | {"invokedBy": "cloudformation.amazonaws.com"}
        grants = {"keyId": "custody-local-key", "operations": ["Decrypt"]}
        self.manage(at, hour, call("kms", "CreateGrant", service("glue"), grants))
        self.manage(at, hour, call("ec2", "DescribeInstances", {}, "HIDDEN"))
        theirs = {"databaseName": "of_others", "name": "t"}
        self.manage(at, hour, call("glue", "DeleteTable", engineer, theirs))
        self._publish(at, hour, self.session(at, hour, AIRFLOW, dict(user(ENGINEER))))
