"""Deploy the platform and take it down again, on AWS and on the local AWS the same way.

    make deploy STAGE=dev ARGS=--dry-run   # .venvs/aws/bin/python -m infra.deployment deploy …
    make smoke STAGE=dev                   # … smoke …
    make destroy STAGE=dev                 # … destroy …

Runs on botocore and PyYAML, which the environment of the AWS CLI has, and on nothing else of the
project but `infra.build`, `infra.bundle` and what `custody.core` knows of contracts. Each module
has one reason to change:

`cli`         the command line, and how an error is told
`session`     whose credentials are used, and where
`stages`      the file that says where a stage goes, and with what
`artifacts`   what is uploaded: once, under its hash
`released`    the contracts that run, against those to be deployed
`uploads`     who may upload which dataset, by the contracts
`versions`    which version runs, and whether this one is older
`mwaa`        the code that MWAA runs, and whether it runs
`smoke`       whether a deployment does its work
`deploying`   the order of it all
`destroying`  the other way round
`stacks/`     any stack: what it holds, what would change, how that goes, what helps when it fails
`templates/`  any template: its parameters' values, its `Rules`, its local files made uploaded ones
"""

import sys
from pathlib import Path

# What is deployed is this checkout, and so is what reads its contracts.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))
