"""What CloudFormation calls for a network: EC2's resources have ids that no name tells."""

from __future__ import annotations

from collections.abc import Iterator

from localaws.cloudformation.rights.model import Call, Change, Rights


def _flow_log_role(change: Change) -> Iterator[Call]:
    yield from change.passes(change.new.get("DeliverLogsPermissionArn"), "vpc-flow-logs")


def _ec2(create: str, delete: str, describe: str, update: str = "", **given: str) -> Rights:
    """Rights in EC2: names of actions as words; `given` by property."""

    def actions(names: str) -> tuple[str, ...]:
        return tuple(f"ec2:{name}" for name in names.split())

    return Rights(
        "*",
        create=actions(create),
        update=actions(update),
        delete=actions(delete),
        read=tuple(f"ec2:Describe{name}" for name in describe.split()),
        given={name: actions(names) for name, names in given.items()},
        changed={"Tags": ("ec2:CreateTags", "ec2:DeleteTags")},
    )


RIGHTS = {
    "AWS::EC2::VPC": _ec2(
        "CreateVpc CreateTags",
        "DeleteVpc",
        "VpcAttribute Vpcs",
        EnableDnsHostnames="ModifyVpcAttribute",
        EnableDnsSupport="ModifyVpcAttribute",
    ),
    "AWS::EC2::Subnet": _ec2(
        "CreateSubnet CreateTags",
        "DeleteSubnet",
        "Subnets",
        MapPublicIpOnLaunch="ModifySubnetAttribute",
    ),
    "AWS::EC2::RouteTable": _ec2("CreateRouteTable CreateTags", "DeleteRouteTable", "RouteTables"),
    "AWS::EC2::Route": _ec2("CreateRoute", "DeleteRoute", "RouteTables", "ReplaceRoute"),
    "AWS::EC2::SubnetRouteTableAssociation": _ec2(
        "AssociateRouteTable", "DisassociateRouteTable", "RouteTables Subnets"
    ),
    "AWS::EC2::InternetGateway": _ec2(
        "CreateInternetGateway CreateTags", "DeleteInternetGateway", "InternetGateways"
    ),
    "AWS::EC2::VPCGatewayAttachment": _ec2(
        "AttachInternetGateway", "DetachInternetGateway", "InternetGateways"
    ),
    "AWS::EC2::EIP": _ec2("AllocateAddress CreateTags", "ReleaseAddress", "Addresses"),
    "AWS::EC2::NatGateway": _ec2("CreateNatGateway CreateTags", "DeleteNatGateway", "NatGateways"),
    "AWS::EC2::SecurityGroup": _ec2(
        "CreateSecurityGroup CreateTags AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress "
        "RevokeSecurityGroupEgress",
        "DeleteSecurityGroup",
        "SecurityGroups",
        "RevokeSecurityGroupIngress",
    ),
    "AWS::EC2::SecurityGroupEgress": _ec2(
        "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress",
        "RevokeSecurityGroupEgress",
        "SecurityGroupRules",
    ),
    "AWS::EC2::SecurityGroupIngress": _ec2(
        "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "SecurityGroupRules"
    ),
    "AWS::EC2::VPCEndpoint": _ec2(
        "CreateVpcEndpoint CreateTags",
        "DeleteVpcEndpoints",
        "SecurityGroups Subnets VpcEndpoints Vpcs",
        "ModifyVpcEndpoint",
    ),
    "AWS::EC2::FlowLog": Rights(
        "*",
        create=("ec2:CreateFlowLogs", "ec2:CreateTags"),
        delete=("ec2:DeleteFlowLogs",),
        read=("ec2:DescribeFlowLogs",),
        changed={"Tags": ("ec2:CreateTags", "ec2:DeleteTags")},
        more=_flow_log_role,
    ),
}
