"""Elastic Load Balancing, version 2."""

import contextlib
import socket
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


@pytest.fixture(scope="module")
def network(ec2):
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    return vpc, [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]


@pytest.fixture
def cleanup():
    with contextlib.ExitStack() as stack:
        yield stack


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


@pytest.fixture
def load_balancer(elbv2, network, cleanup):
    made = elbv2.create_load_balancer(Name=name("lb"), Subnets=network[1][:2], Scheme="internal")
    (made,) = made["LoadBalancers"]
    cleanup.callback(elbv2.delete_load_balancer, LoadBalancerArn=made["LoadBalancerArn"])
    return made


@pytest.fixture
def target_group(elbv2, network):
    made = elbv2.create_target_group(
        Name=name("tg"), Protocol="HTTP", Port=8080, VpcId=network[0], TargetType="ip"
    )
    (made,) = made["TargetGroups"]
    yield made
    elbv2.delete_target_group(TargetGroupArn=made["TargetGroupArn"])


def forward(group):
    return [{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}]


def test_load_balancer_becomes_active_with_an_address_in_each_subnet(elbv2, ec2, load_balancer):
    arn = load_balancer["LoadBalancerArn"]
    assert load_balancer["Type"] == "application"
    assert load_balancer["DNSName"].endswith(".elb.localhost")
    elbv2.get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 15}
    )
    description = "ELB " + arn.split("loadbalancer/")[1]
    interfaces = ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": [description]}])
    interfaces = interfaces["NetworkInterfaces"]
    assert {interface["SubnetId"] for interface in interfaces} == {
        zone["SubnetId"] for zone in load_balancer["AvailabilityZones"]
    }
    address = interfaces[0]["PrivateIpAddress"]
    found = ec2.describe_network_interfaces(
        Filters=[{"Name": "addresses.private-ip-address", "Values": [address]}]
    )
    assert [found["NetworkInterfaceId"] for found in found["NetworkInterfaces"]] == [
        interfaces[0]["NetworkInterfaceId"]
    ]


def test_creating_a_load_balancer_again_returns_it_and_another_of_its_name_is_refused(
    elbv2, network, load_balancer
):
    again = {"Name": load_balancer["LoadBalancerName"], "Subnets": network[1][:2]}
    (same,) = elbv2.create_load_balancer(**again, Scheme="internal")["LoadBalancers"]
    assert same["LoadBalancerArn"] == load_balancer["LoadBalancerArn"]
    assert refusal(elbv2.create_load_balancer, **again)["Code"] == "DuplicateLoadBalancerName"


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"Type": "network"}, "ValidationError", "Type"),
        ({"IpAddressType": "dualstack"}, "ValidationError", "IpAddressType"),
        ({"Subnets": ["subnet-0123456789abcdef0"] * 2}, "SubnetNotFound", "subnet-0123456789abcdef0"),
        ({"SecurityGroups": ["sg-0123456789abcdef0"]}, "InvalidSecurityGroup", "sg-0123456789abcdef0"),
        ({"Name": "-web"}, "ValidationError", "-web"),
    ],
)
def test_what_a_load_balancer_cannot_be_is_refused_by_name(elbv2, network, change, code, named):
    arguments = {"Name": name("lb"), "Subnets": network[1][:2]} | change
    error = refusal(elbv2.create_load_balancer, **arguments)
    assert (error["Code"], named in error["Message"]) == (code, True)


def test_one_subnet_is_not_enough(elbv2, network):
    error = refusal(elbv2.create_load_balancer, Name=name("lb"), Subnets=network[1][:1])
    assert "two subnets" in error["Message"]


def test_idle_timeout_can_be_set_and_other_attributes_only_to_their_defaults(elbv2, load_balancer):
    arn = load_balancer["LoadBalancerArn"]
    wanted = [
        {"Key": "idle_timeout.timeout_seconds", "Value": "5"},
        {"Key": "routing.http2.enabled", "Value": "true"},
    ]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)
    found = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert all(attribute in found for attribute in wanted)
    other = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    error = refusal(elbv2.modify_load_balancer_attributes, LoadBalancerArn=arn, Attributes=other)
    assert "deletion_protection.enabled" in error["Message"]


def test_target_group_has_the_defaults_of_an_application_load_balancer(elbv2, target_group):
    expected = {
        "Protocol": "HTTP",
        "Port": 8080,
        "TargetType": "ip",
        "HealthCheckPath": "/",
        "HealthCheckPort": "traffic-port",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [],
    }
    assert {key: target_group[key] for key in expected} == expected
    changed = elbv2.modify_target_group(
        TargetGroupArn=target_group["TargetGroupArn"],
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=6,
        Matcher={"HttpCode": "200-299"},
    )
    (changed,) = changed["TargetGroups"]
    assert (changed["HealthCheckPath"], changed["HealthCheckIntervalSeconds"]) == ("/health", 6)
    wanted = [{"Key": "deregistration_delay.timeout_seconds", "Value": "3"}]
    arn = target_group["TargetGroupArn"]
    elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=wanted)
    assert wanted[0] in elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]


def test_listener_forwards_to_a_group_which_is_in_use_until_it_is_deleted(
    elbv2, load_balancer, target_group
):
    arn = target_group["TargetGroupArn"]
    arguments = {
        "LoadBalancerArn": load_balancer["LoadBalancerArn"],
        "Port": 80,
        "DefaultActions": forward(target_group),
    }
    (listener,) = elbv2.create_listener(Protocol="HTTP", **arguments)["Listeners"]
    assert listener["DefaultActions"][0]["TargetGroupArn"] == arn
    (group,) = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    assert group["LoadBalancerArns"] == [load_balancer["LoadBalancerArn"]]
    assert refusal(elbv2.delete_target_group, TargetGroupArn=arn)["Code"] == "ResourceInUse"
    (rule,) = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    assert (rule["IsDefault"], rule["Priority"]) == (True, "default")
    other = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}]
    error = refusal(elbv2.create_listener, **(arguments | {"Protocol": "HTTP", "DefaultActions": other}))
    assert error["Code"] == "DuplicateListener"
    (changed,) = elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=other)["Listeners"]
    assert changed["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "503"
    elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    assert elbv2.describe_listeners(LoadBalancerArn=load_balancer["LoadBalancerArn"])["Listeners"] == []


def test_port_that_is_taken_on_this_machine_is_refused_by_its_number(elbv2, network, cleanup):
    made = elbv2.create_load_balancer(Name=name("lb"), Subnets=network[1][:2], Scheme="internet-facing")
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    cleanup.callback(elbv2.delete_load_balancer, LoadBalancerArn=arn)
    other = cleanup.enter_context(socket.create_server(("127.0.0.1", 0)))
    port = other.getsockname()[1]
    actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    arguments = {"LoadBalancerArn": arn, "Protocol": "HTTP", "Port": port, "DefaultActions": actions}
    error = refusal(elbv2.create_listener, **arguments)
    assert (error["Code"], str(port) in error["Message"]) == ("InvalidConfigurationRequest", True)
    assert elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"] == []
    other.close()
    (listener,) = elbv2.create_listener(**arguments)["Listeners"]
    assert listener["Port"] == port


def test_https_is_refused_by_name(elbv2, load_balancer, target_group):
    error = refusal(
        elbv2.create_listener,
        LoadBalancerArn=load_balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        DefaultActions=forward(target_group),
    )
    assert (error["Code"], "Protocol" in error["Message"]) == ("UnsupportedProtocol", True)


def test_targets_of_a_group_without_listener_are_unused(elbv2, target_group):
    arn = target_group["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.1.2.3"}, {"Id": "10.1.2.3", "Port": 81}])
    found = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert {(found["Target"]["Id"], found["Target"]["Port"]) for found in found} == {
        ("10.1.2.3", 8080),
        ("10.1.2.3", 81),
    }
    assert {found["TargetHealth"]["Reason"] for found in found} == {"Target.NotInUse"}
    elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.1.2.3"}])
    assert elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] == []
    error = refusal(elbv2.register_targets, TargetGroupArn=arn, Targets=[{"Id": "8.8.8.8"}])
    assert error["Code"] == "InvalidTarget"


def test_tags_are_added_replaced_and_removed(elbv2, target_group):
    arn = target_group["TargetGroupArn"]
    elbv2.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    elbv2.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "3"}])
    elbv2.remove_tags(ResourceArns=[arn], TagKeys=["b"])
    (found,) = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert found["Tags"] == [{"Key": "a", "Value": "3"}]


def test_what_is_not_there_is_not_found(elbv2):
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0123456789abcdef"
    assert refusal(elbv2.describe_target_groups, TargetGroupArns=[arn])["Code"] == "TargetGroupNotFound"
    assert refusal(elbv2.describe_target_groups, Names=["none"])["Code"] == "TargetGroupNotFound"
    assert refusal(elbv2.describe_load_balancers, Names=["none"])["Code"] == "LoadBalancerNotFound"


def test_pages_follow_each_other(elbv2, network, cleanup):
    names = sorted(name("page") for _ in range(3))
    for each in names:
        made = elbv2.create_target_group(
            Name=each, Protocol="HTTP", Port=80, VpcId=network[0], TargetType="ip"
        )
        arn = made["TargetGroups"][0]["TargetGroupArn"]
        cleanup.callback(elbv2.delete_target_group, TargetGroupArn=arn)
    pages = elbv2.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 1})
    found = [group["TargetGroupName"] for page in pages for group in page["TargetGroups"]]
    assert [each for each in found if each in names] == names
