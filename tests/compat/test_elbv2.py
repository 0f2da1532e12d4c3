"""Elastic Load Balancing, version 2."""

import contextlib
import socket
import ssl
import time
import urllib.parse
import urllib.request
import uuid

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
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


@pytest.fixture
def call(elbv2):
    """Returns what makes one call by the members of its form, signed, and returns the answer."""

    def send(action, **members):
        form = urllib.parse.urlencode({"Action": action, "Version": "2015-12-01"} | members)
        request = AWSRequest("POST", elbv2.meta.endpoint_url, data=form.encode())
        request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        credentials = boto3.Session().get_credentials()
        SigV4Auth(credentials, "elasticloadbalancing", "us-east-1").add_auth(request)
        prepared = request.prepare()
        sent = urllib.request.Request(prepared.url, prepared.body, dict(prepared.headers))
        return urllib.request.urlopen(sent).read().decode()

    return send


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


def test_attributes_of_a_load_balancer_are_kept_or_refused_by_name(elbv2, load_balancer, cleanup):
    arn = load_balancer["LoadBalancerArn"]
    before = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "routing.http.desync_mitigation_mode", "Value": "defensive"} in before
    assert len(before) == 19
    wanted = {
        "idle_timeout.timeout_seconds": "5",
        "client_keep_alive.seconds": "60",
        "routing.http.xff_header_processing.mode": "remove",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "routing.http.preserve_host_header.enabled": "true",
        "routing.http.desync_mitigation_mode": "strictest",
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "my-logs",
        "access_logs.s3.prefix": "web",
    }
    wanted = [{"Key": key, "Value": value} for key, value in wanted.items()]
    changed = elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)["Attributes"]
    assert all(attribute in changed for attribute in wanted)
    assert elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"] == changed
    for key, value in [
        ("waf.fail_open.enabled", "true"),
        ("idle_timeout.timeout_seconds", "0"),
        ("access_logs.s3.bucket", "../elsewhere"),
        ("connection_logs.s3.enabled", "true"),
        ("color", "red"),
    ]:
        given = [{"Key": key, "Value": value}]
        error = refusal(elbv2.modify_load_balancer_attributes, LoadBalancerArn=arn, Attributes=given)
        named = "connection_logs.s3.bucket" if key == "connection_logs.s3.enabled" else key
        assert (error["Code"], named in error["Message"]) == ("ValidationError", True), error
    assert elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"] == changed


def test_protected_load_balancer_is_not_deleted(elbv2, load_balancer):
    arn = load_balancer["LoadBalancerArn"]
    protect = lambda value: elbv2.modify_load_balancer_attributes(  # noqa: E731
        LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": value}]
    )
    protect("true")
    assert refusal(elbv2.delete_load_balancer, LoadBalancerArn=arn)["Code"] == "OperationNotPermitted"
    protect("false")


def test_attributes_of_a_target_group_are_kept_or_refused_by_name(elbv2, target_group):
    arn = target_group["TargetGroupArn"]
    wanted = {
        "stickiness.enabled": "true",
        "stickiness.type": "app_cookie",
        "stickiness.app_cookie.cookie_name": "sid",
        "slow_start.duration_seconds": "30",
        "load_balancing.algorithm.type": "weighted_random",
        "load_balancing.algorithm.anomaly_mitigation": "on",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "50",
    }
    wanted = [{"Key": key, "Value": value} for key, value in wanted.items()]
    changed = elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=wanted)["Attributes"]
    assert all(attribute in changed for attribute in wanted)
    for key, value in [
        ("load_balancing.cross_zone.enabled", "false"),
        ("slow_start.duration_seconds", "29"),
        ("stickiness.app_cookie.cookie_name", "AWSALB"),
        ("load_balancing.algorithm.type", "fastest"),
    ]:
        given = [{"Key": key, "Value": value}]
        error = refusal(elbv2.modify_target_group_attributes, TargetGroupArn=arn, Attributes=given)
        assert (error["Code"], key in error["Message"]) == ("ValidationError", True), error
    assert elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"] == changed


def test_attributes_of_a_listener_are_kept_or_refused_by_name(elbv2, listener):
    wanted = [
        {"Key": "routing.http.response.server.enabled", "Value": "false"},
        {"Key": "routing.http.response.x_frame_options.header_value", "Value": "DENY"},
    ]
    changed = elbv2.modify_listener_attributes(ListenerArn=listener, Attributes=wanted)["Attributes"]
    assert all(attribute in changed for attribute in wanted)
    assert elbv2.describe_listener_attributes(ListenerArn=listener)["Attributes"] == changed
    wrong = [{"Key": "routing.http.response.x_frame_options.header_value", "Value": "MAYBE"}]
    error = refusal(elbv2.modify_listener_attributes, ListenerArn=listener, Attributes=wrong)
    assert "x_frame_options" in error["Message"]


def test_load_balancer_moves_to_other_subnets_and_security_groups(elbv2, ec2, network, load_balancer):
    arn = load_balancer["LoadBalancerArn"]
    moved = elbv2.set_subnets(LoadBalancerArn=arn, Subnets=network[1][1:3])
    assert [zone["SubnetId"] for zone in moved["AvailabilityZones"]] == network[1][1:3]
    (group,) = load_balancer["SecurityGroups"]
    set_to = elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group])
    assert set_to["SecurityGroupIds"] == [group]
    (found,) = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert found["SecurityGroups"] == [group]
    filters = [{"Name": "description", "Values": ["ELB " + arn.split("loadbalancer/")[1]]}]
    interfaces = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert {each["SubnetId"] for each in interfaces} == set(network[1][1:3])
    assert all([of["GroupId"] for of in each["Groups"]] == [group] for each in interfaces)
    missing = "sg-0123456789abcdef0"
    error = refusal(elbv2.set_security_groups, LoadBalancerArn=arn, SecurityGroups=[missing])
    assert error["Code"] == "InvalidSecurityGroup"
    error = refusal(elbv2.set_subnets, LoadBalancerArn=arn, Subnets=network[1][:1])
    assert "two subnets" in error["Message"]
    assert elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="ipv4")["IpAddressType"] == "ipv4"
    error = refusal(elbv2.set_ip_address_type, LoadBalancerArn=arn, IpAddressType="dualstack")
    assert "dualstack" in error["Message"]


def test_limits_and_reservations_are_told(elbv2, load_balancer):
    limits = {limit["Name"]: limit["Max"] for limit in elbv2.describe_account_limits()["Limits"]}
    assert limits["rules-per-application-load-balancer"] == "100"
    found = elbv2.describe_capacity_reservation(LoadBalancerArn=load_balancer["LoadBalancerArn"])
    assert found["CapacityReservationState"] == []


def test_http_listener_has_no_certificates_and_gets_none(elbv2, listener):
    assert elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"] == []
    certificate = {"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/x"}
    for call in (elbv2.add_listener_certificates, elbv2.remove_listener_certificates):
        error = refusal(call, ListenerArn=listener, Certificates=[certificate])
        assert (error["Code"], "ertificates" in error["Message"]) == ("ValidationError", True)
    assert refusal(elbv2.describe_ssl_policies, Names=["x"])["Code"] == "SSLPolicyNotFound"


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


def test_target_group_for_grpc_is_checked_by_its_codes_and_needs_tls(elbv2, network, load_balancer, cleanup):
    arguments = {"Protocol": "HTTP", "Port": 50051, "VpcId": network[0], "TargetType": "ip"}
    (group,) = elbv2.create_target_group(Name=name("grpc"), ProtocolVersion="GRPC", **arguments)["TargetGroups"]
    arn = group["TargetGroupArn"]
    cleanup.callback(elbv2.delete_target_group, TargetGroupArn=arn)
    assert group["ProtocolVersion"] == "GRPC"
    assert (group["HealthCheckPath"], group["Matcher"]) == ("/AWS.ALB/healthcheck", {"GrpcCode": "12"})
    (changed,) = elbv2.modify_target_group(TargetGroupArn=arn, Matcher={"GrpcCode": "0-5"})["TargetGroups"]
    assert changed["Matcher"] == {"GrpcCode": "0-5"}
    error = refusal(elbv2.modify_target_group, TargetGroupArn=arn, Matcher={"HttpCode": "200"})
    assert (error["Code"], "HttpCode" in error["Message"]) == ("ValidationError", True)
    error = refusal(
        elbv2.create_listener, LoadBalancerArn=load_balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=forward(group),
    )  # fmt: skip
    assert (error["Code"], "'GRPC'" in error["Message"]) == ("InvalidConfigurationRequest", True)
    error = refusal(elbv2.create_target_group, Name=name("tg"), ProtocolVersion="HTTP3", **arguments)
    assert (error["Code"], "HTTP3" in error["Message"]) == ("ValidationError", True)


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


@pytest.fixture
def certificates(client, cleanup):
    """Returns two certificates that the own authority issued: for shop.example and for *.example.org."""
    acm, made = client("acm"), []
    for domain in ("shop.example", "*.example.org"):
        made.append(acm.request_certificate(DomainName=domain)["CertificateArn"])
        cleanup.callback(acm.delete_certificate, CertificateArn=made[-1])
    return made


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"Certificates": []}, "ValidationError", "certificate must be specified"),
        (
            {"Certificates": [{"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/x"}]},
            "CertificateNotFound",
            "certificate/x",
        ),
        ({"SslPolicy": "ELBSecurityPolicy-2099-01"}, "SSLPolicyNotFound", "ELBSecurityPolicy-2099-01"),
        ({"SslPolicy": "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04"}, "SSLPolicyNotFound", "FIPS"),
        ({"Protocol": "TLS"}, "UnsupportedProtocol", "TLS"),
        ({"Protocol": "HTTP"}, "ValidationError", "HTTP listeners"),
    ],
)
def test_https_listener_that_cannot_be_is_refused(elbv2, load_balancer, certificates, change, code, named):
    arguments = {
        "LoadBalancerArn": load_balancer["LoadBalancerArn"], "Protocol": "HTTPS", "Port": 443,
        "DefaultActions": saying(), "Certificates": [{"CertificateArn": certificates[0]}],
    }  # fmt: skip
    error = refusal(elbv2.create_listener, **(arguments | change))
    assert (error["Code"], named in error["Message"]) == (code, True), error
    assert elbv2.describe_listeners(LoadBalancerArn=load_balancer["LoadBalancerArn"])["Listeners"] == []


def test_https_listener_presents_the_certificate_of_the_host(
    elbv2, network, client, certificates, cleanup, wharf, tmp_path
):
    made = elbv2.create_load_balancer(Name=name("tls"), Subnets=network[1][:2])["LoadBalancers"][0]
    cleanup.callback(elbv2.delete_load_balancer, LoadBalancerArn=made["LoadBalancerArn"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (listener,) = elbv2.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTPS", Port=port, DefaultActions=saying("418"),
        Certificates=[{"CertificateArn": certificates[0]}],
    )["Listeners"]  # fmt: skip
    assert (listener["Protocol"], listener["SslPolicy"]) == ("HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06")
    assert listener["Certificates"] == [{"CertificateArn": certificates[0]}]
    assert listener["MutualAuthentication"] == {"Mode": "off"}
    arn = listener["ListenerArn"]
    error = refusal(client("acm").delete_certificate, CertificateArn=certificates[0])
    assert error["Code"] == "ResourceInUseException"

    (tmp_path / "ca.pem").write_text(wharf("ca"))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))

    def ask(host):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            with context.wrap_socket(plain, server_hostname=host) as secure:
                secure.sendall(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
                return secure.version(), secure.recv(16)

    assert ask("shop.example") == ("TLSv1.3", b"HTTP/1.1 418 I'm")
    with pytest.raises(ssl.SSLCertVerificationError):
        ask("www.example.org")
    (added,) = elbv2.add_listener_certificates(
        ListenerArn=arn, Certificates=[{"CertificateArn": certificates[1]}]
    )["Certificates"]
    assert added == {"CertificateArn": certificates[1], "IsDefault": False}
    deadline = time.monotonic() + 5
    while True:
        try:
            assert ask("www.example.org")[0] == "TLSv1.3"
            break
        except ssl.SSLCertVerificationError:
            assert time.monotonic() < deadline
    shown = elbv2.describe_listener_certificates(ListenerArn=arn)["Certificates"]
    assert {found["CertificateArn"]: found["IsDefault"] for found in shown} == dict(zip(certificates, (True, False)))
    error = refusal(
        elbv2.remove_listener_certificates, ListenerArn=arn, Certificates=[{"CertificateArn": certificates[0]}]
    )
    assert error["Code"] == "OperationNotPermitted"
    elbv2.remove_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": certificates[1]}])
    (changed,) = elbv2.modify_listener(ListenerArn=arn, SslPolicy="ELBSecurityPolicy-FS-1-2-Res-2020-10")["Listeners"]
    assert changed["SslPolicy"] == "ELBSecurityPolicy-FS-1-2-Res-2020-10"
    deadline = time.monotonic() + 5
    while ask("shop.example")[0] != "TLSv1.2":
        assert time.monotonic() < deadline


def test_security_policies_are_those_that_are_served(elbv2):
    found = {policy["Name"]: policy for policy in elbv2.describe_ssl_policies()["SslPolicies"]}
    newest = found["ELBSecurityPolicy-TLS13-1-3-2021-06"]
    assert newest["SslProtocols"] == ["TLSv1.3"]
    assert newest["Ciphers"][0] == {"Name": "TLS_AES_128_GCM_SHA256", "Priority": 1}
    assert not any("TLSv1" in policy["SslProtocols"] for policy in found.values())


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


@pytest.fixture
def listener(elbv2, load_balancer):
    actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    made = elbv2.create_listener(
        LoadBalancerArn=load_balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=actions
    )
    return made["Listeners"][0]["ListenerArn"]


def saying(status="200"):
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status}}]


def on_path(*values):
    return [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}]


def test_rule_is_shown_as_it_was_made_and_can_be_changed(elbv2, listener, target_group):
    conditions = [
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-V", "Values": ["1?"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
    ]
    stickiness = {"Enabled": True, "DurationSeconds": 60}
    group = {"TargetGroupArn": target_group["TargetGroupArn"], "Weight": 5}
    forward = {"TargetGroups": [group], "TargetGroupStickinessConfig": stickiness}
    (made,) = elbv2.create_rule(
        ListenerArn=listener, Priority=7, Conditions=conditions,
        Actions=[{"Type": "forward", "ForwardConfig": forward}],
    )["Rules"]  # fmt: skip
    assert (made["Priority"], made["IsDefault"]) == ("7", False)
    shown = {condition["Field"]: dict(condition) for condition in made["Conditions"]}
    for condition in conditions:
        # A host is shown in both ways.
        shown[condition["Field"]].pop("Values", None)
        assert shown[condition["Field"]] == condition
    assert made["Actions"][0]["ForwardConfig"] == forward
    found = elbv2.describe_target_groups(TargetGroupArns=[target_group["TargetGroupArn"]])
    assert len(found["TargetGroups"][0]["LoadBalancerArns"]) == 1
    error = refusal(elbv2.delete_target_group, TargetGroupArn=target_group["TargetGroupArn"])
    assert error["Code"] == "ResourceInUse"

    rule = made["RuleArn"]
    (changed,) = elbv2.modify_rule(RuleArn=rule, Actions=saying("410"))["Rules"]
    assert changed["Conditions"] == made["Conditions"]
    assert changed["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "410"
    assert elbv2.describe_rules(RuleArns=[rule])["Rules"] == [changed]
    elbv2.add_tags(ResourceArns=[rule], Tags=[{"Key": "a", "Value": "1"}])
    (found,) = elbv2.describe_tags(ResourceArns=[rule])["TagDescriptions"]
    assert found["Tags"] == [{"Key": "a", "Value": "1"}]
    elbv2.delete_rule(RuleArn=rule)
    assert refusal(elbv2.describe_rules, RuleArns=[rule])["Code"] == "RuleNotFound"


def test_rules_are_listed_by_priority_and_can_swap_theirs(elbv2, listener):
    made = {}
    for priority in (10, 9, 100):
        rules = elbv2.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=on_path(f"/{priority}"), Actions=saying()
        )
        made[priority] = rules["Rules"][0]["RuleArn"]

    def order():
        pages = elbv2.get_paginator("describe_rules").paginate(
            ListenerArn=listener, PaginationConfig={"PageSize": 3}
        )
        return [rule["Priority"] for page in pages for rule in page["Rules"]]

    assert order() == ["9", "10", "100", "default"]
    swapped = [{"RuleArn": made[9], "Priority": 10}, {"RuleArn": made[10], "Priority": 9}]
    elbv2.set_rule_priorities(RulePriorities=swapped)
    (first,) = elbv2.describe_rules(RuleArns=[made[10]])["Rules"]
    assert first["Priority"] == "9"
    taken = [{"RuleArn": made[9], "Priority": 100}]
    assert refusal(elbv2.set_rule_priorities, RulePriorities=taken)["Code"] == "PriorityInUse"
    error = refusal(
        elbv2.create_rule, ListenerArn=listener, Priority=100, Conditions=on_path("/x"), Actions=saying()
    )
    assert error["Code"] == "PriorityInUse"
    assert order() == ["9", "10", "100", "default"]


def test_default_rule_is_left_to_its_listener(elbv2, listener):
    (default,) = elbv2.describe_rules(ListenerArn=listener)["Rules"]
    arn = default["RuleArn"]
    assert refusal(elbv2.delete_rule, RuleArn=arn)["Code"] == "OperationNotPermitted"
    assert refusal(elbv2.modify_rule, RuleArn=arn, Actions=saying())["Code"] == "OperationNotPermitted"
    priorities = [{"RuleArn": arn, "Priority": 1}]
    assert refusal(elbv2.set_rule_priorities, RulePriorities=priorities)["Code"] == "OperationNotPermitted"


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"Priority": 50001}, "ValidationError", "Priority"),
        ({"Conditions": on_path(*"/a /b /c /d /e /f".split())}, "ValidationError", "condition values"),
        ({"Conditions": on_path("/*/*/*/*/*/*")}, "ValidationError", "condition wildcards"),
        ({"Conditions": on_path("/a") + on_path("/b")}, "ValidationError", "path-pattern"),
        ({"Conditions": [{"Field": "weather", "Values": ["/"]}]}, "ValidationError", "weather"),
        (
            {"Conditions": [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1/8"]}}]},
            "ValidationError",
            "10.0.0.1/8",
        ),
        ({"Actions": [{"Type": "authenticate-oidc"}]}, "ValidationError", "authenticate-oidc"),
        ({"Actions": saying("302")}, "ValidationError", "302"),
        (
            {"Actions": [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]},
            "ValidationError",
            "loop",
        ),
    ],
)
def test_what_a_rule_cannot_be_is_refused_by_name(elbv2, listener, change, code, named):
    arguments = {"ListenerArn": listener, "Priority": 1, "Conditions": on_path("/a"), "Actions": saying()}
    error = refusal(elbv2.create_rule, **(arguments | change))
    assert (error["Code"], named in error["Message"]) == (code, True), error
    assert len(elbv2.describe_rules(ListenerArn=listener)["Rules"]) == 1


def test_load_balancer_has_at_most_a_hundred_rules(elbv2, listener):
    for number in range(100):
        elbv2.create_rule(
            ListenerArn=listener, Priority=number + 1, Conditions=on_path(f"/{number}"), Actions=saying()
        )
    error = refusal(
        elbv2.create_rule, ListenerArn=listener, Priority=101, Conditions=on_path("/x"), Actions=saying()
    )
    assert error["Code"] == "TooManyRules"


def test_rewrites_and_expressions_of_a_rule_are_kept(call, listener):
    """boto3 of this age does not know them, so they are sent as newer ones do."""
    made = call(
        "CreateRule", ListenerArn=listener, Priority=3,
        **{
            "Conditions.member.1.Field": "path-pattern",
            "Conditions.member.1.PathPatternConfig.RegexValues.member.1": "^/api/.*$",
            "Actions.member.1.Type": "fixed-response",
            "Actions.member.1.FixedResponseConfig.StatusCode": "200",
            "Transforms.member.1.Type": "url-rewrite",
            "Transforms.member.1.UrlRewriteConfig.Rewrites.member.1.Regex": "^/api",
            "Transforms.member.1.UrlRewriteConfig.Rewrites.member.1.Replace": "/v2",
        },
    )  # fmt: skip
    assert "<RegexValues><member>^/api/.*$</member></RegexValues>" in made
    assert "<Regex>^/api</Regex><Replace>/v2</Replace>" in made
    arn = made.split("<RuleArn>")[1].split("<")[0]
    kept = call("ModifyRule", RuleArn=arn, **{"Conditions.member.1.Field": "path-pattern",
                "Conditions.member.1.Values.member.1": "/x"})  # fmt: skip
    assert "url-rewrite" in kept
    assert "url-rewrite" not in call("ModifyRule", RuleArn=arn, ResetTransforms="true")
