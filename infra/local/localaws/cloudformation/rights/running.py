"""What CloudFormation calls for functions, jobs, queries, Airflow and nested stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from localaws.cloudformation.rights.model import Call, Change, Rights

_GLUE = "arn:aws:glue:{region}:{account}:"
_LAMBDA = "arn:aws:lambda:{region}:{account}:"
_WORKGROUP = "arn:aws:athena:{region}:{account}:workgroup/{Name}"


def _code_and_role(change: Change) -> Iterator[Call]:
    code = change.new.get("Code", {})
    if change.sets("Code") and "S3Bucket" in code:
        yield Call("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}")
    yield from change.passes(change.new.get("Role"), "lambda")


def _of_the_function(change: Change) -> Mapping[str, Any]:
    name = str(change.properties["FunctionName"])
    arn = name if name.startswith("arn:") else change.fill(f"{_LAMBDA}function:") + name
    return {"lambda:FunctionArn": arn}


def _job_role(change: Change) -> Iterator[Call]:
    yield from change.passes(change.new.get("Role"), "glue")


def _encrypting_role(change: Change) -> Iterator[Call]:
    settings = change.new.get("DataCatalogEncryptionSettings", {})
    role = settings.get("EncryptionAtRest", {}).get("CatalogEncryptionServiceRole")
    yield from change.passes(role, "glue")


def _of_the_database(change: Change) -> Iterator[Call]:
    """The catalog asks about everything that contains what is changed, and that it contains."""
    name = change.properties["DatabaseInput"]["Name"]
    action = {"create": "Create", "update": "Update", "delete": "Delete"}[change.operation]
    inside = (f"table/{name}/*", f"userDefinedFunction/{name}/*")
    for place in ("catalog", f"database/{name}", *(inside if action == "Delete" else ())):
        yield Call(f"glue:{action}Database", change.fill(_GLUE) + place)
    for place in ("catalog", f"database/{name}"):
        yield Call("glue:GetDatabase", change.fill(_GLUE) + place)


def _of_the_environment(change: Change) -> Iterator[Call]:
    yield from change.passes(change.new.get("ExecutionRoleArn"), "airflow")
    if change.operation == "create":
        service_role = "role/aws-service-role/airflow.amazonaws.com/AWSServiceRoleForAmazonMWAA"
        yield Call(
            "iam:CreateServiceLinkedRole", change.fill("arn:aws:iam::{account}:") + service_role
        )
        via = {"kms:ViaService": change.fill("airflow.{region}.amazonaws.com")}
        yield Call("kms:CreateGrant", str(change.new["KmsKey"]), via)
        yield Call("kms:DescribeKey", str(change.new["KmsKey"]))
        for action in ("ec2:CreateNetworkInterface", "ec2:CreateVpcEndpoint"):
            yield Call(action)
    if change.operation != "delete":
        yield Call("s3:GetEncryptionConfiguration", str(change.new["SourceBucketArn"]))
        for what in ("RouteTables", "SecurityGroups", "Subnets", "Vpcs"):
            yield Call(f"ec2:Describe{what}")


def _template(change: Change) -> Iterator[Call]:
    if change.operation != "delete":
        place = urlsplit(str(change.new["TemplateURL"])).path.removeprefix("/")
        yield Call("s3:GetObject", f"arn:aws:s3:::{place}")


RIGHTS = {
    "AWS::Lambda::Function": Rights(
        f"{_LAMBDA}function:{{FunctionName}}",
        create=("lambda:CreateFunction", "lambda:TagResource"),
        delete=("lambda:DeleteFunction",),
        read=(
            "lambda:GetFunction",
            "lambda:GetFunctionCodeSigningConfig",
            "lambda:GetFunctionRecursionConfig",
            "lambda:GetRuntimeManagementConfig",
        ),
        given={"ReservedConcurrentExecutions": ("lambda:PutFunctionConcurrency",)},
        changed={
            "Code": ("lambda:UpdateFunctionCode",),
            **dict.fromkeys(
                (
                    *("Description", "Environment", "Handler", "LoggingConfig", "MemorySize"),
                    *("Role", "Runtime", "Timeout"),
                ),
                ("lambda:UpdateFunctionConfiguration",),
            ),
            "ReservedConcurrentExecutions": (
                "lambda:DeleteFunctionConcurrency",
                "lambda:PutFunctionConcurrency",
            ),
            "Tags": ("lambda:TagResource", "lambda:UntagResource"),
        },
        more=_code_and_role,
    ),
    "AWS::Lambda::EventSourceMapping": Rights(
        f"{_LAMBDA}event-source-mapping:{{id}}",
        create=("lambda:CreateEventSourceMapping", "lambda:TagResource"),
        update=("lambda:UpdateEventSourceMapping",),
        delete=("lambda:DeleteEventSourceMapping",),
        read=("lambda:GetEventSourceMapping", "lambda:ListTags"),
        keys=_of_the_function,
    ),
    "AWS::Glue::Job": Rights(
        f"{_GLUE}job/{{Name}}",
        create=("glue:CreateJob", "glue:TagResource"),
        update=("glue:UpdateJob",),
        delete=("glue:DeleteJob",),
        read=("glue:GetJob", "glue:GetTags"),
        changed={"Tags": ("glue:TagResource", "glue:UntagResource")},
        more=_job_role,
    ),
    "AWS::Glue::Database": Rights(f"{_GLUE}catalog", more=_of_the_database),
    "AWS::Glue::DataCatalogEncryptionSettings": Rights(
        f"{_GLUE}catalog",
        create=("glue:PutDataCatalogEncryptionSettings",),
        update=("glue:PutDataCatalogEncryptionSettings",),
        delete=("glue:PutDataCatalogEncryptionSettings",),
        read=("glue:GetDataCatalogEncryptionSettings",),
        more=_encrypting_role,
    ),
    "AWS::Glue::SecurityConfiguration": Rights(
        "*",
        create=("glue:CreateSecurityConfiguration",),
        update=("glue:CreateSecurityConfiguration", "glue:DeleteSecurityConfiguration"),
        delete=("glue:DeleteSecurityConfiguration",),
        read=("glue:GetSecurityConfiguration",),
    ),
    "AWS::Athena::WorkGroup": Rights(
        _WORKGROUP,
        create=("athena:CreateWorkGroup", "athena:TagResource"),
        update=("athena:UpdateWorkGroup",),
        delete=("athena:DeleteWorkGroup",),
        read=("athena:GetWorkGroup", "athena:ListTagsForResource"),
        changed={"Tags": ("athena:TagResource", "athena:UntagResource")},
    ),
    "AWS::MWAA::Environment": Rights(
        "arn:aws:airflow:{region}:{account}:environment/{Name}",
        create=("airflow:CreateEnvironment", "airflow:TagResource"),
        update=("airflow:UpdateEnvironment",),
        delete=("airflow:DeleteEnvironment",),
        read=("airflow:GetEnvironment",),
        changed={"Tags": ("airflow:TagResource", "airflow:UntagResource")},
        more=_of_the_environment,
    ),
    "AWS::CloudFormation::Stack": Rights(
        "arn:aws:cloudformation:{region}:{account}:stack/{id}/*",
        create=("cloudformation:CreateStack",),
        update=("cloudformation:UpdateStack",),
        delete=("cloudformation:DeleteStack",),
        read=("cloudformation:DescribeStacks",),
        more=_template,
    ),
}
