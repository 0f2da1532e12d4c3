"""EC2's flow logs, as Terraform and people make them. What is written is tested with tasks, in tests/e2e."""

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/flow-logs"
FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets}"
    " ${bytes} ${start} ${end} ${action} ${log-status}"
)


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


@pytest.fixture
def vpc(ec2):
    made = ec2.create_vpc(CidrBlock="10.6.0.0/16")["Vpc"]["VpcId"]
    yield made
    mine = [{"Name": "vpc-id", "Values": [made]}]
    for subnet in ec2.describe_subnets(Filters=mine)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=made)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def given(vpc, **more):
    basic = {
        "ResourceIds": [vpc],
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": "flows",
        "DeliverLogsPermissionArn": ROLE,
    }
    return {name: value for name, value in {**basic, **more}.items() if value is not None}


def of(ec2, resource):
    return ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [resource]}])["FlowLogs"]


def test_a_flow_log_is_shown_as_it_was_made(ec2, vpc):
    made = ec2.create_flow_logs(
        **given(vpc, ClientToken="once"),
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "team", "Value": "a"}]}],
    )
    (log,) = made["FlowLogIds"]
    assert (made["Unsuccessful"], log[:3]) == ([], "fl-")
    (shown,) = ec2.describe_flow_logs(FlowLogIds=[log])["FlowLogs"]
    assert shown.pop("CreationTime")
    account = shown["LogDestination"].split(":")[4]
    assert shown == {
        "FlowLogId": log,
        "ResourceId": vpc,
        "TrafficType": "ALL",
        "FlowLogStatus": "ACTIVE",
        "DeliverLogsStatus": "SUCCESS",
        "DeliverLogsPermissionArn": ROLE,
        "LogDestinationType": "cloud-watch-logs",
        "LogDestination": f"arn:aws:logs:us-east-1:{account}:log-group:flows",
        "LogGroupName": "flows",
        "LogFormat": FORMAT,
        "MaxAggregationInterval": 600,
        "Tags": [{"Key": "team", "Value": "a"}],
    }
    again = ec2.create_flow_logs(
        **given(vpc, ClientToken="once"),
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "team", "Value": "a"}]}],
    )
    assert again["FlowLogIds"] == [log]
    assert refusal(ec2.create_flow_logs, **given(vpc, ClientToken="once"))[0] == "IdempotentParameterMismatch"
    assert refusal(ec2.create_flow_logs, **given(vpc))[0] == "FlowLogAlreadyExists"
    ec2.create_tags(Resources=[log], Tags=[{"Key": "stage", "Value": "test"}])
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [log]}])["Tags"]
    assert {(tag["ResourceType"], tag["Key"]) for tag in tags} == {("vpc-flow-log", "team"), ("vpc-flow-log", "stage")}

    destination = shown["LogDestination"].replace("flows", "other")
    more = given(vpc, LogGroupName=None, LogDestination=f"{destination}:*", LogFormat="${end} ${srcaddr}")
    (second,) = ec2.create_flow_logs(**more, MaxAggregationInterval=60)["FlowLogIds"]
    (shown,) = ec2.describe_flow_logs(FlowLogIds=[second])["FlowLogs"]
    assert (shown["LogGroupName"], shown["LogDestination"]) == ("other", destination)
    assert (shown["LogFormat"], shown["MaxAggregationInterval"]) == ("${end} ${srcaddr}", 60)
    assert len(of(ec2, vpc)) == 2


def test_flow_logs_are_filtered_paged_and_deleted(ec2, vpc):
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.6.{place}.0/24")["Subnet"]["SubnetId"] for place in range(6)
    ]
    made = ec2.create_flow_logs(
        **given(vpc, ResourceIds=subnets, ResourceType="Subnet", TrafficType="REJECT", LogGroupName="six")
    )
    assert len(made["FlowLogIds"]) == 6
    ec2.create_flow_logs(**given(vpc, TrafficType="ACCEPT", LogGroupName="seven"))

    def found(name, value):
        shown = ec2.describe_flow_logs(Filters=[{"Name": name, "Values": [value]}])["FlowLogs"]
        return {log["ResourceId"] for log in shown} & {vpc, *subnets}

    assert found("traffic-type", "REJECT") == set(subnets)
    assert found("log-group-name", "seven") == {vpc}
    assert found("resource-id", subnets[0]) == {subnets[0]}
    assert found("flow-log-id", made["FlowLogIds"][0]) == {subnets[0]}
    assert found("deliver-log-status", "FAILED") == set()
    assert found("log-destination-type", "cloud-watch-logs") == {vpc, *subnets}
    assert refusal(ec2.describe_flow_logs, Filters=[{"Name": "colour", "Values": ["red"]}])[0] == "InvalidParameterValue"

    mine = [{"Name": "log-group-name", "Values": ["six"]}]
    first = ec2.describe_flow_logs(Filters=mine, MaxResults=5)
    rest = ec2.describe_flow_logs(Filters=mine, MaxResults=5, NextToken=first["NextToken"])
    assert (len(first["FlowLogs"]), len(rest["FlowLogs"]), "NextToken" in rest) == (5, 1, False)

    unknown = "fl-00000000000000000"
    code, message = refusal(ec2.delete_flow_logs, FlowLogIds=[made["FlowLogIds"][0], unknown])
    assert (code, unknown in message) == ("InvalidFlowLogId.NotFound", True)
    assert len(of(ec2, subnets[0])) == 1
    assert ec2.delete_flow_logs(FlowLogIds=[made["FlowLogIds"][0]])["Unsuccessful"] == []
    assert of(ec2, subnets[0]) == []
    assert ec2.describe_flow_logs(FlowLogIds=[unknown])["FlowLogs"] == []


def test_a_flow_log_goes_with_its_resource(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.5.1.0/24")["Subnet"]["SubnetId"]
    ec2.create_flow_logs(**given(vpc))
    ec2.create_flow_logs(**given(vpc, ResourceIds=[subnet], ResourceType="Subnet"))
    ec2.delete_subnet(SubnetId=subnet)
    assert (len(of(ec2, vpc)), of(ec2, subnet)) == (1, [])
    ec2.delete_vpc(VpcId=vpc)
    assert of(ec2, vpc) == []


def test_resources_that_are_not_there_are_named_and_the_others_have_their_flow_logs(ec2, vpc):
    unknown = "vpc-00000000000000000"
    made = ec2.create_flow_logs(**given(vpc, ResourceIds=[unknown, vpc]))
    assert len(made["FlowLogIds"]) == 1
    (failed,) = made["Unsuccessful"]
    assert (failed["ResourceId"], failed["Error"]["Code"]) == (unknown, "InvalidVpcID.NotFound")
    assert unknown in failed["Error"]["Message"]


def test_what_cannot_be_is_refused_and_what_is_not_supported_by_its_name(ec2, vpc):
    def refused(**more):
        return refusal(ec2.create_flow_logs, **given(vpc, **more))

    for name, value in [
        ("LogDestinationType", "s3"),
        ("LogDestinationType", "kinesis-data-firehose"),
        ("ResourceType", "TransitGateway"),
        ("DeliverCrossAccountRole", ROLE),
        ("DestinationOptions", {"FileFormat": "parquet"}),
    ]:
        code, message = refused(**{name: value})
        assert (code, name in message) == ("UnsupportedOperation", True), message
    code, message = refused(LogFormat="${start} ${tcp-flags}")
    assert (code, "tcp-flags" in message) == ("UnsupportedOperation", True)
    assert refused(LogFormat="start end")[0] == "InvalidParameterValue"
    assert refused(TrafficType="SOME")[0] == "InvalidParameterValue"
    assert refused(TrafficType=None)[0] == "MissingParameter"
    assert refused(ResourceType="Subnet")[0] == "InvalidParameter"
    assert refused(MaxAggregationInterval=90)[0] == "InvalidParameter"
    assert refused(DeliverLogsPermissionArn=None)[0] == "InvalidParameter"
    assert refused(DeliverLogsPermissionArn="nobody")[0] == "InvalidParameter"
    assert refused(LogGroupName=None)[0] == "InvalidParameter"
    assert refused(LogGroupName="no spaces")[0] == "InvalidParameter"
    assert refused(LogDestination="arn:aws:logs:us-east-1:000000000000:log-group:flows")[0] == "InvalidParameter"
    assert refused(DryRun=True)[0] == "DryRunOperation"
    assert of(ec2, vpc) == []
