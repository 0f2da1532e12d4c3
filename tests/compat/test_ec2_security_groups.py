"""Security groups and their rules."""

import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


def code(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


@pytest.fixture
def group(ec2):
    """Returns a new group of the default VPC."""
    made = ec2.create_security_group(GroupName=f"web-{uuid.uuid4()}", Description="for a test")["GroupId"]
    yield made
    ec2.delete_security_group(GroupId=made)


def tcp(port, *blocks, groups=(), description=None):
    described = {"Description": description} if description else {}
    return {
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
        "IpRanges": [{"CidrIp": block, **described} for block in blocks],
        "UserIdGroupPairs": [{"GroupId": group} for group in groups],
    }  # fmt: skip


def described(ec2, group):
    return ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]


def rules(ec2, group):
    return ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]


def test_a_new_group_lets_nothing_in_and_everything_out(ec2, group):
    shown = described(ec2, group)
    assert shown["IpPermissions"] == []
    (egress,) = shown["IpPermissionsEgress"]
    assert (egress["IpProtocol"], egress["IpRanges"]) == ("-1", [{"CidrIp": "0.0.0.0/0"}])
    twin = {"GroupName": shown["GroupName"], "Description": "again"}
    assert code(ec2.create_security_group, **twin) == "InvalidGroup.Duplicate"
    assert code(ec2.create_security_group, GroupName="sg-x", Description="x") == "InvalidParameterValue"
    assert code(ec2.create_security_group, GroupName="x", Description="ü") == "InvalidParameterValue"


def test_every_peer_of_a_permission_is_a_rule_with_an_id(ec2, group):
    made = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[tcp(80, "10.0.0.0/8", "192.0.2.1/24", groups=[group], description="web")]
    )["SecurityGroupRules"]
    assert [rule.get("CidrIpv4") for rule in made] == ["10.0.0.0/8", "192.0.2.0/24", None]
    assert made[2]["ReferencedGroupInfo"]["GroupId"] == group
    assert all(rule["SecurityGroupRuleId"].startswith("sgr-") and not rule["IsEgress"] for rule in made)
    (permission,) = described(ec2, group)["IpPermissions"]
    assert [block["CidrIp"] for block in permission["IpRanges"]] == ["10.0.0.0/8", "192.0.2.0/24"]
    assert permission["IpRanges"][0]["Description"] == "web"
    assert len(rules(ec2, group)) == 4

    again = {"GroupId": group, "IpPermissions": [tcp(81, "10.0.0.0/8"), tcp(80, "10.0.0.0/8")]}
    assert code(ec2.authorize_security_group_ingress, **again) == "InvalidPermission.Duplicate"
    assert len(rules(ec2, group)) == 4, "all of a request or nothing"

    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[tcp(80, "10.0.0.0/8")])
    missing = {"GroupId": group, "IpPermissions": [tcp(80, "10.0.0.0/8")]}
    assert code(ec2.revoke_security_group_ingress, **missing) == "InvalidPermission.NotFound"
    by_id = [made[1]["SecurityGroupRuleId"], made[2]["SecurityGroupRuleId"]]
    assert ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=by_id)["Return"] is True
    gone = {"GroupId": group, "SecurityGroupRuleIds": by_id}
    assert code(ec2.revoke_security_group_ingress, **gone) == "InvalidSecurityGroupRuleId.NotFound"
    assert described(ec2, group)["IpPermissions"] == []


def test_egress_is_revoked_and_authorised(ec2, group):
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    assert described(ec2, group)["IpPermissionsEgress"] == []
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[tcp(443, "0.0.0.0/0")])
    (shown,) = described(ec2, group)["IpPermissionsEgress"]
    assert (shown["FromPort"], shown["ToPort"]) == (443, 443)


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ({"IpProtocol": "tcp", "FromPort": 5, "ToPort": 4, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 70000, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0"}]}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}, "MissingParameter"),
        ({"IpProtocol": "wire", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "InvalidParameterValue"),
        ({"IpProtocol": "icmp", "FromPort": 300, "ToPort": 0, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "InvalidPermission.Malformed"),
        (
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0123456789abcdef0"}]},
            "InvalidGroup.NotFound",
        ),
        ({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0"}]}, "InvalidPrefixListID.NotFound"),
    ],
)  # fmt: skip
def test_a_permission_that_makes_no_sense_changes_nothing(ec2, group, permission, expected):
    assert code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[permission]) == expected
    assert described(ec2, group)["IpPermissions"] == []


def test_other_protocols_keep_their_names(ec2, group):
    def of(protocol, **ports):
        return {"IpProtocol": protocol, "IpRanges": [{"CidrIp": "0.0.0.0/0"}], **ports}

    given = [of("icmp", FromPort=8, ToPort=-1), of("icmp", FromPort=-1, ToPort=-1), of("50"), of("udp", FromPort=0, ToPort=65535)]
    given.append({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]})
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=given)
    shown = {(it["IpProtocol"], it.get("FromPort"), it.get("ToPort")) for it in described(ec2, group)["IpPermissions"]}
    assert shown == {("icmp", 8, -1), ("icmp", -1, -1), ("50", None, None), ("udp", 0, 65535), ("tcp", 22, 22)}
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=given)


def test_rules_are_changed_and_described_by_their_ids(ec2, group):
    (rule,) = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(80, "10.0.0.0/8")])["SecurityGroupRules"]
    id = rule["SecurityGroupRuleId"]
    new = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8081, "CidrIpv4": "192.0.2.0/24", "Description": "moved"}
    change = [{"SecurityGroupRuleId": id, "SecurityGroupRule": new}]
    assert ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=change)["Return"] is True
    (shown,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[id])["SecurityGroupRules"]
    assert (shown["FromPort"], shown["CidrIpv4"], shown["Description"]) == (8080, "192.0.2.0/24", "moved")
    permission = tcp(8080, "192.0.2.0/24", description="again")
    permission["ToPort"] = 8081
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[permission])
    (shown,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[id])["SecurityGroupRules"]
    assert shown["Description"] == "again"
    ec2.create_tags(Resources=[id], Tags=[{"Key": "a", "Value": "b"}])
    found = ec2.describe_security_group_rules(Filters=[{"Name": "tag:a", "Values": ["b"]}])["SecurityGroupRules"]
    assert [rule["SecurityGroupRuleId"] for rule in found] == [id]


def test_a_group_that_is_needed_is_not_deleted(ec2, group):
    other = ec2.create_security_group(GroupName=f"db-{uuid.uuid4()}", Description="behind")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[tcp(5432, groups=[group])])
    assert code(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    ec2.delete_security_group(GroupId=other)
    (default,) = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    assert code(ec2.delete_security_group, GroupId=default["GroupId"]) == "CannotDelete"
    assert code(ec2.delete_security_group, GroupId="sg-0123456789abcdef0") == "InvalidGroup.NotFound"
    assert code(ec2.delete_security_group, GroupId="group") == "InvalidGroupId.Malformed"


def test_prefix_lists_stand_for_their_networks(ec2, group):
    entries = [{"Cidr": "192.0.2.0/24", "Description": "office"}]
    made = ec2.create_managed_prefix_list(PrefixListName="offices", MaxEntries=2, AddressFamily="IPv4", Entries=entries)
    id, version = made["PrefixList"]["PrefixListId"], made["PrefixList"]["Version"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": id}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    assert code(ec2.delete_managed_prefix_list, PrefixListId=id) == "DependencyViolation"
    more = [{"Cidr": "198.51.100.0/24"}]
    assert code(ec2.modify_managed_prefix_list, PrefixListId=id, CurrentVersion=9, AddEntries=more) == "InvalidParameterValue"
    ec2.modify_managed_prefix_list(PrefixListId=id, CurrentVersion=version, AddEntries=more)
    full = {"PrefixListId": id, "CurrentVersion": version + 1, "AddEntries": [{"Cidr": "203.0.113.0/24"}]}
    assert code(ec2.modify_managed_prefix_list, **full) == "InvalidParameterValue"
    shown = ec2.get_managed_prefix_list_entries(PrefixListId=id)["Entries"]
    assert [entry["Cidr"] for entry in shown] == ["192.0.2.0/24", "198.51.100.0/24"]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission])
    ec2.delete_managed_prefix_list(PrefixListId=id)
