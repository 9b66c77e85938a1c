"""What runs, and what it is told: Lambda, Glue's jobs, SSM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.readers.apis import Apis, Properties, Reader


def _function(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    functions = apis.client("lambda")
    found: Properties = functions.get_function_configuration(FunctionName=name)
    reserved: Properties = functions.get_function_concurrency(FunctionName=name)
    return found | reserved


def _event_source_mapping(apis: Apis, uuid: str, wanted: Mapping[str, Any]) -> Properties:
    found: Properties = apis.client("lambda").get_event_source_mapping(UUID=uuid)
    name = found["FunctionArn"].rpartition(":")[2]
    return {**found, "FunctionName": wanted.get("FunctionName") and name}


def _glue_job(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    found: Properties = apis.client("glue").get_job(JobName=name)["Job"]
    return found


def _security_configuration(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    answer = apis.client("glue").get_security_configuration(Name=name)
    found = dict(answer["SecurityConfiguration"]["EncryptionConfiguration"])
    return {
        "Name": name,
        "EncryptionConfiguration": {**found, "S3Encryptions": found.pop("S3Encryption", None)},
    }


def _ssm_parameter(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    ssm = apis.client("ssm")
    value = ssm.get_parameter(Name=name)["Parameter"]
    filters = [{"Key": "Name", "Values": [name]}]
    described = ssm.describe_parameters(ParameterFilters=filters)["Parameters"][0]
    return {**value, "Description": described.get("Description")}


READERS: dict[str, Reader] = {
    "AWS::Glue::Job": _glue_job,
    "AWS::Glue::SecurityConfiguration": _security_configuration,
    "AWS::Lambda::EventSourceMapping": _event_source_mapping,
    "AWS::Lambda::Function": _function,
    "AWS::SSM::Parameter": _ssm_parameter,
}
NOT_READ = {
    "AWS::Lambda::Function": frozenset({"Code"}),  # comes back as a hash of the zip
    # Asked for as whichever the size needs, answered with that one.
    "AWS::SSM::Parameter": frozenset({"Tier"}),
}
