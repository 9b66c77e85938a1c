"""EC2's networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.readers.apis import Apis, Properties, Reader

# Where EC2 keeps a group's rules, and what a template calls who is on the other side.
_PERMISSIONS = {
    "SecurityGroupIngress": ("IpPermissions", "Source"),
    "SecurityGroupEgress": ("IpPermissionsEgress", "Destination"),
}


def _vpc(apis: Apis, vpc: str, _wanted: Mapping[str, Any]) -> Properties:
    ec2 = apis.client("ec2")
    names = ("EnableDnsHostnames", "EnableDnsSupport")
    attributes = {
        name: ec2.describe_vpc_attribute(VpcId=vpc, Attribute=f"{name[0].lower()}{name[1:]}")
        for name in names
    }
    return {
        **ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0],
        **{name: answer[name]["Value"] for name, answer in attributes.items()},
    }


def _subnet(apis: Apis, subnet: str, _wanted: Mapping[str, Any]) -> Properties:
    return dict(apis.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0])


def _gateway(apis: Apis, gateway: str, _wanted: Mapping[str, Any]) -> Properties:
    gateways = apis.client("ec2").describe_internet_gateways(InternetGatewayIds=[gateway])
    return dict(gateways["InternetGateways"][0])


def _attachment(apis: Apis, _id: str, wanted: Mapping[str, Any]) -> Properties:
    gateway = wanted["InternetGatewayId"]
    attached = _gateway(apis, gateway, wanted)["Attachments"]
    return {"InternetGatewayId": gateway, "VpcId": attached[0]["VpcId"] if attached else None}


def _table(apis: Apis, table: str, _wanted: Mapping[str, Any]) -> Properties:
    return dict(apis.client("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"][0])


def _route(apis: Apis, _id: str, wanted: Mapping[str, Any]) -> Properties:
    table = wanted["RouteTableId"]
    (route,) = [
        route
        for route in _table(apis, table, wanted)["Routes"]
        if route.get("DestinationCidrBlock") == wanted["DestinationCidrBlock"]
    ]
    return {**route, "RouteTableId": table}


def _association(apis: Apis, association: str, wanted: Mapping[str, Any]) -> Properties:
    (found,) = [
        each
        for each in _table(apis, wanted["RouteTableId"], wanted)["Associations"]
        if each["RouteTableAssociationId"] == association
    ]
    return dict(found)


def _group(apis: Apis, group: str, wanted: Mapping[str, Any]) -> Properties:
    """Without the rules that are resources of their own."""
    found = apis.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    rules = {kind: _rules_of(found, kind) for kind in _PERMISSIONS}
    own = {kind: [rule["Description"] for rule in wanted.get(kind, [])] for kind in rules}
    return {
        **found,
        "GroupDescription": found["Description"],
        **{k: [rule for rule in rules[k] if rule["Description"] in own[k]] for k in rules},
    }


def _rules_of(group: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    permissions, peer = _PERMISSIONS[kind]
    return _rules(group[permissions], peer)


def _rules(permissions: list[dict[str, Any]], peer: str) -> list[dict[str, Any]]:
    """A group's permissions in the words of a template, which names one peer in each."""
    rules = []
    for permission in permissions:
        ports = {name: permission[name] for name in ("FromPort", "ToPort") if name in permission}
        for peers, name, ours in (
            ("IpRanges", "CidrIp", "CidrIp"),
            ("UserIdGroupPairs", "GroupId", f"{peer}SecurityGroupId"),
        ):
            rules += [
                {
                    "IpProtocol": permission["IpProtocol"],
                    **ports,
                    ours: each[name],
                    "Description": each.get("Description"),
                }
                for each in permission[peers]
            ]
    return rules


def _ingress(apis: Apis, _id: str, wanted: Mapping[str, Any]) -> Properties:
    return _single_rule(apis, wanted, "SecurityGroupIngress")


def _egress(apis: Apis, _id: str, wanted: Mapping[str, Any]) -> Properties:
    return _single_rule(apis, wanted, "SecurityGroupEgress")


def _single_rule(apis: Apis, wanted: Mapping[str, Any], kind: str) -> Properties:
    ids = [wanted["GroupId"]]
    (group,) = apis.client("ec2").describe_security_groups(GroupIds=ids)["SecurityGroups"]
    rules = _rules_of(group, kind)
    (found,) = [rule for rule in rules if rule["Description"] == wanted["Description"]]
    return {**found, "GroupId": group["GroupId"]}


def _endpoint(apis: Apis, endpoint: str, _wanted: Mapping[str, Any]) -> Properties:
    found = apis.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint])
    return dict(found["VpcEndpoints"][0])


def _address(apis: Apis, address: str, _wanted: Mapping[str, Any]) -> Properties:
    addresses = apis.client("ec2").describe_addresses()["Addresses"]
    return next(dict(each) for each in addresses if each["PublicIp"] == address)


def _nat(apis: Apis, gateway: str, _wanted: Mapping[str, Any]) -> Properties:
    gateways = apis.client("ec2").describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    return next(dict(each) for each in gateways if each["State"] == "available")


def _flow_log(apis: Apis, flow_log: str, _wanted: Mapping[str, Any]) -> Properties:
    found = apis.client("ec2").describe_flow_logs(FlowLogIds=[flow_log])["FlowLogs"][0]
    return {**found, "LogGroupName": found["LogDestination"]}


READERS: dict[str, Reader] = {
    "AWS::EC2::EIP": _address,
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::EC2::InternetGateway": _gateway,
    "AWS::EC2::NatGateway": _nat,
    "AWS::EC2::Route": _route,
    "AWS::EC2::RouteTable": _table,
    "AWS::EC2::SecurityGroup": _group,
    "AWS::EC2::SecurityGroupEgress": _egress,
    "AWS::EC2::SecurityGroupIngress": _ingress,
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EC2::VPCGatewayAttachment": _attachment,
}
# ministack keeps these, and leaves them out of its answers.
NOT_READ = {
    "AWS::EC2::FlowLog": frozenset(
        {"DeliverLogsPermissionArn", "MaxAggregationInterval", "ResourceType"}
    ),
    "AWS::EC2::NatGateway": frozenset({"AllocationId"}),
    "AWS::EC2::VPCEndpoint": frozenset({"PrivateDnsEnabled", "SecurityGroupIds"}),
}
