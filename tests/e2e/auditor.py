"""The auditor, who looks at the platform from outside: his role, and his command line."""

import json
import subprocess
import sys
from typing import Any

from rehearsal.machine import PROJECT, REPOSITORY, STAGE
from rehearsal.platform import ADMIN, Platform

AUDITOR = "auditor"
COMMAND = "from custody.cli.main import run; run()"  # what its installed script does


def make_role(platform: Platform) -> None:
    """The stack with the auditor's role, as an administrator deploys it, and a profile for it."""
    account, stack = platform.settings["account_id"], f"{PROJECT}-{STAGE}-access"
    given = {"Stage": STAGE, "AuditorArns": f"arn:aws:iam::{account}:user/{ADMIN}"}
    stacks = platform.client("cloudformation")
    stacks.create_stack(
        StackName=stack,
        TemplateBody=(REPOSITORY / "infra/cloudformation/access.yaml").read_text("utf-8"),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    made = stacks.get_waiter("stack_create_complete")
    made.wait(StackName=stack, WaiterConfig={"Delay": 0.5, "MaxAttempts": 600})
    with (platform.machine.home / "aws" / "config").open("a", encoding="utf-8") as config:
        config.write(
            f"[profile {AUDITOR}]\n"
            f"role_arn = arn:aws:iam::{account}:role/{PROJECT}-{STAGE}-auditor\n"
            f"source_profile = {ADMIN}\n"
            f"region = {platform.settings['region']}\n"
            f"endpoint_url = {platform.machine.endpoint}\n"
            "s3 =\n  addressing_style = path\n"
        )


def custody(
    platform: Platform, command: str, *arguments: str, who: str = AUDITOR
) -> list[dict[str, Any]]:
    """What `custody` prints for `who`, after checking that it says all is well."""
    settings = f"ssm:/{PROJECT}/{STAGE}/airflow/variables/{PROJECT}"
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, command, "--json", "--settings", settings, *arguments],
        env=platform.machine.environment_of(who)
        | {
            "PYTHONPATH": str(REPOSITORY / "plugins"),
            "AWS_DEFAULT_REGION": platform.settings["region"],
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
