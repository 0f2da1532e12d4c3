"""EC2's describe calls."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def test_account_has_a_default_vpc_with_a_subnet_in_each_of_three_zones(ec2):
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert {subnet["AvailabilityZone"] for subnet in subnets} == {zone["ZoneName"] for zone in zones}
    assert len(subnets) == 3
    assert all(subnet["DefaultForAz"] and subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert all(0 < subnet["AvailableIpAddressCount"] <= 4091 for subnet in subnets)


def test_default_security_group_lets_its_members_in_and_everything_out(ec2):
    (group,) = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    (ingress,) = group["IpPermissions"]
    assert ingress["IpProtocol"] == "-1"
    assert [pair["GroupId"] for pair in ingress["UserIdGroupPairs"]] == [group["GroupId"]]
    (egress,) = group["IpPermissionsEgress"]
    assert egress["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]


def test_filters_take_wildcards(ec2):
    zones = [{"Name": "availability-zone", "Values": ["*-1a", "us-?ast-1b"]}]
    found = ec2.describe_subnets(Filters=zones)["Subnets"]
    assert sorted(subnet["AvailabilityZone"][-1] for subnet in found) == ["a", "b"]


@pytest.mark.parametrize(
    "call", ["describe_vpcs", "describe_subnets", "describe_security_groups", "describe_network_interfaces"]
)
def test_unknown_filter_is_refused_by_its_name(ec2, call):
    error = refusal(getattr(ec2, call), Filters=[{"Name": "colour", "Values": ["red"]}])
    assert (error["Code"], "colour" in error["Message"]) == ("InvalidParameterValue", True)


@pytest.mark.parametrize(
    ("call", "member", "unknown", "code"),
    [
        ("describe_vpcs", "VpcIds", "vpc-0123456789abcdef0", "InvalidVpcID.NotFound"),
        ("describe_subnets", "SubnetIds", "subnet-0123456789abcdef0", "InvalidSubnetID.NotFound"),
        ("describe_security_groups", "GroupIds", "sg-0123456789abcdef0", "InvalidGroup.NotFound"),
        (
            "describe_network_interfaces",
            "NetworkInterfaceIds",
            "eni-0123456789abcdef0",
            "InvalidNetworkInterfaceID.NotFound",
        ),
    ],
)
def test_unknown_id_is_not_found(ec2, call, member, unknown, code):
    error = refusal(getattr(ec2, call), **{member: [unknown]})
    assert (error["Code"], unknown in error["Message"]) == (code, True)
