"""What ministack's CloudFormation lacks of a network: NAT gateways, flow logs, single rules.

EC2 itself has them all. A change of a property makes another NAT gateway, flow log or rule, as on
AWS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from localaws.cloudformation.provisioners.registry import (
    Answer,
    Made,
    provide,
    replaceable,
    succeed,
    tell_attributes,
)


def register() -> None:
    """Add the types."""
    provide("AWS::EC2::EIP", *replaceable(_create_address, _delete_address))
    tell_attributes("AWS::EC2::EIP", _address)
    provide("AWS::EC2::NatGateway", *replaceable(_create_nat, _delete_nat))
    provide("AWS::EC2::FlowLog", *replaceable(_create_flow_log, _delete_flow_log))
    for direction in ("Ingress", "Egress"):
        provide(f"AWS::EC2::SecurityGroup{direction}", *replaceable(*_rule(direction)))


def _made(answer: Answer, name: str) -> str:
    """The id in the XML that EC2 answers with."""
    succeed(f"making {name}", answer)
    found = re.search(rf"<{name}>([^<]+)</{name}>", bytes(answer[2]).decode())
    if found is None:
        raise ValueError(f"EC2 gave no {name}")
    return found[1]


def _create_address(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> Made:
    answer = ec2._allocate_address({"Domain": [properties.get("Domain", "vpc")]})  # noqa: SLF001
    address = _made(answer, "publicIp")
    # As on AWS, `Ref` gives the address.
    return address, _address(address)


def _address(address: str) -> dict[str, Any]:
    found = [
        allocation
        for allocation, record in ec2._addresses.items()  # noqa: SLF001
        if record["PublicIp"] == address
    ]
    return {"AllocationId": found[0]} if found else {}


def _delete_address(address: str, _properties: Mapping[str, Any]) -> None:
    succeed(f"ReleaseAddress {address}", ec2._release_address(_address(address)))  # noqa: SLF001


def _create_nat(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> Made:
    if properties["AllocationId"] not in ec2._addresses:  # noqa: SLF001
        raise ValueError(f"InvalidAllocationID.NotFound: {properties['AllocationId']}")
    answer = ec2._create_nat_gateway(properties)  # noqa: SLF001
    gateway = _made(answer, "natGatewayId")
    return gateway, {"NatGatewayId": gateway}


def _delete_nat(gateway: str, _properties: Mapping[str, Any]) -> None:
    succeed(f"DeleteNatGateway {gateway}", ec2._delete_nat_gateway({"NatGatewayId": gateway}))  # noqa: SLF001


def _create_flow_log(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> Made:
    wanted = {**properties, "ResourceId.1": properties["ResourceId"]}
    answer = ec2._create_flow_logs(wanted)  # noqa: SLF001
    flow_log = _made(answer, "item")
    return flow_log, {"Id": flow_log}


def _delete_flow_log(flow_log: str, _properties: Mapping[str, Any]) -> None:
    succeed(f"DeleteFlowLogs {flow_log}", ec2._delete_flow_logs({"FlowLogId.1": flow_log}))  # noqa: SLF001


def _rule(direction: str) -> tuple[Any, Any]:
    kept = "IpPermissions" if direction == "Ingress" else "IpPermissionsEgress"

    def create(logical_id: str, properties: Mapping[str, Any], stack: str) -> Made:
        group = _group(properties)
        group[kept].append(_permission(properties))
        return f"{stack}-{logical_id}", {}

    def delete(_rule_id: str, properties: Mapping[str, Any]) -> None:
        group = _group(properties)
        group[kept].remove(_permission(properties))

    return create, delete


def _group(properties: Mapping[str, Any]) -> dict[str, Any]:
    group: dict[str, Any] | None = ec2._security_groups.get(properties["GroupId"])  # noqa: SLF001
    if group is None:
        raise ValueError(f"InvalidGroup.NotFound: {properties['GroupId']}")
    return group


def _permission(properties: Mapping[str, Any]) -> dict[str, Any]:
    (permission,) = provisioners._ec2_sg_permissions([properties])  # noqa: SLF001
    return dict(permission)
