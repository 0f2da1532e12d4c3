"""EC2's VPCs, subnets, routes and gateways, as Terraform and people make them."""

import contextlib

import pytest
from botocore.exceptions import ClientError

ANYWHERE = "0.0.0.0/0"


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def code(call, **arguments):
    return refusal(call, **arguments)["Code"]


@pytest.fixture
def vpc(ec2):
    """Returns a VPC of the test's own; what is left in it goes with it."""
    made = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    yield made
    mine = [{"Name": "vpc-id", "Values": [made]}]
    for subnet in ec2.describe_subnets(Filters=mine)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    for table in ec2.describe_route_tables(Filters=mine)["RouteTables"]:
        if not any(association["Main"] for association in table["Associations"]):
            ec2.delete_route_table(RouteTableId=table["RouteTableId"])
    attached = [{"Name": "attachment.vpc-id", "Values": [made]}]
    for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=made)
        ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
    for group in ec2.describe_security_groups(Filters=mine)["SecurityGroups"]:
        if group["GroupName"] != "default":
            ec2.delete_security_group(GroupId=group["GroupId"])
    ec2.delete_vpc(VpcId=made)


def test_a_created_vpc_begins_with_a_group_a_table_and_an_acl(ec2, vpc):
    (shown,) = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert (shown["CidrBlock"], shown["IsDefault"], shown["State"]) == ("10.7.0.0/16", False, "available")
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    (group,) = ec2.describe_security_groups(Filters=mine)["SecurityGroups"]
    assert group["GroupName"] == "default"
    (table,) = ec2.describe_route_tables(Filters=mine)["RouteTables"]
    assert [association["Main"] for association in table["Associations"]] == [True]
    (local,) = table["Routes"]
    assert (local["DestinationCidrBlock"], local["GatewayId"], local["State"]) == ("10.7.0.0/16", "local", "active")
    (acl,) = ec2.describe_network_acls(Filters=[*mine, {"Name": "default", "Values": ["true"]}])["NetworkAcls"]
    assert {entry["RuleAction"] for entry in acl["Entries"]} == {"allow", "deny"}


def test_attributes_of_a_vpc_are_read_and_changed_one_at_a_time(ec2, vpc):
    def attribute(name):
        shown = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
        return shown[name[0].upper() + name[1:]]["Value"]

    assert (attribute("enableDnsSupport"), attribute("enableDnsHostnames")) == (True, False)
    assert attribute("enableNetworkAddressUsageMetrics") is False
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    assert (attribute("enableDnsSupport"), attribute("enableDnsHostnames")) == (False, True)


@pytest.mark.parametrize("block", ["10.0.0.0/8", "10.0.0.0/29", "169.254.0.0/16", "198.19.0.0/20"])
def test_a_block_that_no_vpc_can_have_is_refused(ec2, block):
    assert code(ec2.create_vpc, CidrBlock=block) == "InvalidVpc.Range"


def test_what_is_not_supported_is_refused_by_its_name(ec2, vpc):
    error = refusal(ec2.create_vpc, CidrBlock="10.8.0.0/16", InstanceTenancy="dedicated")
    assert (error["Code"], "InstanceTenancy" in error["Message"]) == ("UnsupportedOperation", True)
    error = refusal(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")
    assert (error["Code"], "CreateVpcEndpoint" in error["Message"]) == ("InvalidAction", True)
    assert code(ec2.create_vpc, CidrBlock="10.8.0.0/16", DryRun=True) == "DryRunOperation"
    assert ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.8.0.0/16"]}])["Vpcs"] == []


def test_subnets_lie_in_their_vpc_beside_each_other(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.5/24", AvailabilityZone="us-east-1b")["Subnet"]
    assert (subnet["CidrBlock"], subnet["AvailableIpAddressCount"]) == ("10.7.1.0/24", 251)
    assert (subnet["AvailabilityZone"], subnet["MapPublicIpOnLaunch"]) == ("us-east-1b", False)
    assert code(ec2.create_subnet, VpcId=vpc, CidrBlock="10.7.1.128/25") == "InvalidSubnet.Conflict"
    assert code(ec2.create_subnet, VpcId=vpc, CidrBlock="10.9.1.0/24") == "InvalidSubnet.Range"
    assert code(ec2.create_subnet, VpcId=vpc, CidrBlock="nonsense") == "InvalidParameterValue"
    by_id = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.2.0/24", AvailabilityZoneId="use1-az3")["Subnet"]
    assert by_id["AvailabilityZone"] == "us-east-1c"
    third = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.3.0/24")["Subnet"]
    assert third["AvailabilityZone"] == "us-east-1a"
    ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    (shown,) = ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"]
    assert shown["MapPublicIpOnLaunch"] is True
    assert code(ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"
    ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    assert code(ec2.delete_subnet, SubnetId=subnet["SubnetId"]) == "InvalidSubnetID.NotFound"


def test_routes_name_gateways_of_their_own_vpc(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": ANYWHERE, "GatewayId": gateway}
    assert code(ec2.create_route, **route) == "InvalidParameterValue"
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert code(ec2.attach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc) == "Resource.AlreadyAssociated"
    assert ec2.create_route(**route)["Return"] is True
    ec2.create_route(**route)

    address = ec2.allocate_address(Domain="vpc")
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address["AllocationId"])["NatGateway"]
    assert nat["NatGatewayAddresses"][0]["PublicIp"] == address["PublicIp"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat["NatGatewayId"]])
    other = {"RouteTableId": table, "DestinationCidrBlock": ANYWHERE, "NatGatewayId": nat["NatGatewayId"]}
    assert code(ec2.create_route, **other) == "RouteAlreadyExists"
    ec2.replace_route(**other)
    (shown,) = ec2.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"]
    (interface,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[shown["NetworkInterfaceId"]])["NetworkInterfaces"]
    assert interface["InterfaceType"] == "nat_gateway"
    assert interface["Description"] == f"Interface for NAT Gateway {nat['NatGatewayId']}"
    assert code(ec2.release_address, AllocationId=address["AllocationId"]) == "InvalidIPAddress.InUse"
    assert code(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    assert code(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc) == "DependencyViolation"

    ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    (shown,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    assert [route["State"] for route in shown["Routes"]] == ["active", "blackhole"]
    ec2.release_address(AllocationId=address["AllocationId"])
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE)
    gone = {"RouteTableId": table, "DestinationCidrBlock": ANYWHERE}
    assert code(ec2.delete_route, **gone) == "InvalidRoute.NotFound"
    assert code(ec2.delete_route, RouteTableId=table, DestinationCidrBlock="10.7.0.0/16") == "InvalidParameterValue"


def test_a_subnet_has_one_table_and_the_main_one_without(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    first, second = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    association = ec2.associate_route_table(RouteTableId=first, SubnetId=subnet)["AssociationId"]
    assert ec2.associate_route_table(RouteTableId=first, SubnetId=subnet)["AssociationId"] == association
    conflict = {"RouteTableId": second, "SubnetId": subnet}
    assert code(ec2.associate_route_table, **conflict) == "Resource.AlreadyAssociated"
    assert code(ec2.delete_route_table, RouteTableId=first) == "DependencyViolation"
    moved = ec2.replace_route_table_association(AssociationId=association, RouteTableId=second)["NewAssociationId"]
    (shown,) = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
    assert shown["RouteTableId"] == second
    ec2.disassociate_route_table(AssociationId=moved)

    main_of = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    (main,) = ec2.describe_route_tables(Filters=main_of)["RouteTables"]
    association = main["Associations"][0]["RouteTableAssociationId"]
    assert code(ec2.disassociate_route_table, AssociationId=association) == "InvalidParameterValue"
    ec2.replace_route_table_association(AssociationId=association, RouteTableId=second)
    (main,) = ec2.describe_route_tables(Filters=main_of)["RouteTables"]
    assert main["RouteTableId"] == second


def test_a_client_token_makes_one_thing(ec2, vpc):
    made = [ec2.create_route_table(VpcId=vpc, ClientToken="again")["RouteTable"]["RouteTableId"] for _ in range(2)]
    assert made[0] == made[1]
    tags = [{"ResourceType": "route-table", "Tags": [{"Key": "a", "Value": "b"}]}]
    again = {"VpcId": vpc, "ClientToken": "again", "TagSpecifications": tags}
    assert code(ec2.create_route_table, **again) == "IdempotentParameterMismatch"


def test_tags_are_put_found_and_taken_off(ec2, vpc):
    spec = [{"ResourceType": "subnet", "Tags": [{"Key": "team", "Value": "blue"}]}]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24", TagSpecifications=spec)["Subnet"]
    assert subnet["Tags"] == [{"Key": "team", "Value": "blue"}]
    ids = [vpc, subnet["SubnetId"]]
    ec2.create_tags(Resources=ids, Tags=[{"Key": "team", "Value": "red"}, {"Key": "Name", "Value": "x"}])
    filters = [{"Name": "resource-id", "Values": ids}, {"Name": "key", "Values": ["team"]}]
    assert [tag["Value"] for tag in ec2.describe_tags(Filters=filters)["Tags"]] == ["red", "red"]
    assert len(ec2.describe_subnets(Filters=[{"Name": "tag:team", "Values": ["red"]}])["Subnets"]) == 1
    ec2.delete_tags(Resources=ids, Tags=[{"Key": "team", "Value": "blue"}, {"Key": "Name"}])
    assert len(ec2.describe_tags(Filters=filters)["Tags"]) == 2
    assert code(ec2.create_tags, Resources=[vpc], Tags=[{"Key": "aws:x", "Value": ""}]) == "InvalidParameterValue"
    unknown = ["vpc-0123456789abcdef0"]
    assert code(ec2.create_tags, Resources=unknown, Tags=[{"Key": "x", "Value": ""}]) == "InvalidVpcID.NotFound"
    assert code(ec2.create_tags, Resources=["i-123"], Tags=[{"Key": "x", "Value": ""}]) == "InvalidID"


def test_the_account_says_what_it_has(ec2):
    (default,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    attributes = ec2.describe_account_attributes(AttributeNames=["default-vpc", "supported-platforms"])
    shown = {it["AttributeName"]: it["AttributeValues"][0]["AttributeValue"] for it in attributes["AccountAttributes"]}
    assert shown == {"default-vpc": default["VpcId"], "supported-platforms": "VPC"}
    assert [region["RegionName"] for region in ec2.describe_regions()["Regions"]] == ["us-east-1"]
    assert code(ec2.create_default_vpc) == "DefaultVpcAlreadyExists"


def test_pages_hold_as_many_as_asked_for(ec2, vpc):
    for place in range(7):
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{place}.0/24")
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    pages = list(ec2.get_paginator("describe_subnets").paginate(Filters=mine, PaginationConfig={"PageSize": 5}))
    assert [len(page["Subnets"]) for page in pages] == [5, 2]
    assert code(ec2.describe_subnets, NextToken="nonsense") == "InvalidParameterValue"


def test_overlapping_vpcs_can_be_made(ec2, vpc):
    with contextlib.ExitStack() as after:
        other = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        after.callback(ec2.delete_vpc, VpcId=other)
        subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        after.callback(ec2.delete_subnet, SubnetId=subnet)
        assert other != vpc
