"""Deploy the platform and take it down again, on AWS and on the local AWS the same way.

    make deploy STAGE=dev ARGS=--dry-run   # .venvs/aws/bin/python -m infra.deployment deploy …
    make smoke STAGE=dev                   # … smoke …
    make destroy STAGE=dev                 # … destroy …

Runs on botocore and PyYAML, which the environment of the AWS CLI has, and on nothing else of the
project but `infra.build` and `infra.bundle`. Each module has one reason to change:

`cli`         the command line, and how an error is told
`session`     whose credentials are used, and where
`stages`      the file that says where a stage goes, and with what
`artifacts`   what is uploaded: once, under its hash
`versions`    which version runs, and whether this one is older
`mwaa`        the code that MWAA runs, and whether it runs
`smoke`       whether a deployment does its work
`deploying`   the order of it all
`destroying`  the other way round
`stacks/`     any stack: what it holds, what would change, how that goes, what helps when it fails
`templates/`  any template: its parameters' values, its `Rules`, its local files made uploaded ones
"""
