"""A real local AWS with one job that a stack made, and a role of the job's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.infra.local.conftest import Server
from tests.support.patience import wait_for

from localaws.glue.spark.configuration import SparkHome

BUCKET = "glue-code"
TEMPLATE = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: glue-runs
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: glue.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: run
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::glue-code/*"}
              - {Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::glue-code"}
              - {Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::glue-code/out/*"}
              - {Effect: Allow, Action: "logs:*", Resource: "*"}
  Job:
    Type: AWS::Glue::Job
    Properties:
      Name: job
      Role: !GetAtt Role.Arn
      Command: {Name: glueetl, ScriptLocation: "s3://glue-code/job.py"}
      GlueVersion: "5.1"
      Timeout: 60
      ExecutionProperty: {MaxConcurrentRuns: 2}
      DefaultArguments: {--mode: quick}
"""
ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}


class Glue:
    """A server with one job, `job`, that runs a script in a home."""

    def __init__(self, server: Server, home: SparkHome, script: bytes) -> None:
        self.server = server
        self._script = script
        self._environment = {
            "CUSTODY_GLUE_PYTHON": str(home.python),
            "CUSTODY_SPARK_JARS": str(home.jars),
        }

    def start(self) -> None:
        done = self.server.run("start", **self._environment)
        assert done.returncode == 0, done.stderr
        self.glue = self.server.client("glue")

    def deploy(self) -> None:
        s3, stacks = self.server.client("s3"), self.server.client("cloudformation")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="job.py", Body=self._script)
        stacks.create_stack(
            StackName="s", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        wait_for(
            lambda: (
                stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"]
                == "CREATE_COMPLETE"
            )
        )

    def begin(self, mode: str) -> str:
        run_id: str = self.glue.start_job_run(JobName="job", Arguments={"--mode": mode})["JobRunId"]
        return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.glue.get_job_run(JobName="job", RunId=run_id)["JobRun"]
        return run

    def ended(self, run_id: str) -> dict[str, Any]:
        wait_for(lambda: self.run(run_id)["JobRunState"] in ENDED)
        return self.run(run_id)

    def running(self, run_id: str) -> None:
        wait_for(lambda: self.run(run_id)["JobRunState"] == "RUNNING")

    def folder(self, run_id: str) -> Path:
        return self.server.settings.glue / run_id


def serving(folder: Path, home: SparkHome, script: bytes) -> Iterator[Glue]:
    """A running `Glue` while the generator is suspended; it is killed afterwards."""
    glue = Glue(Server(folder), home, script)
    try:
        glue.start()
        glue.deploy()
        yield glue
    finally:
        glue.server.kill()
