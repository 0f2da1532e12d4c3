"""Elastic File System."""

import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def efs(client):
    return client("efs")


@pytest.fixture
def file_system(efs):
    made = efs.create_file_system(CreationToken=uuid.uuid4().hex, Tags=[{"Key": "Name", "Value": "data"}])
    yield made
    for target in efs.describe_mount_targets(FileSystemId=made["FileSystemId"])["MountTargets"]:
        efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    efs.delete_file_system(FileSystemId=made["FileSystemId"])


def error(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_a_file_system_is_made_described_and_deleted(efs, file_system):
    id = file_system["FileSystemId"]
    assert (file_system["Name"], file_system["LifeCycleState"]) == ("data", "available")
    assert file_system["FileSystemArn"] == f"arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/{id}"
    (found,) = efs.describe_file_systems(FileSystemId=id)["FileSystems"]
    assert found["CreationToken"] == file_system["CreationToken"]
    again = {"CreationToken": file_system["CreationToken"]}
    assert error(efs.create_file_system, **again) == "FileSystemAlreadyExists"
    assert error(efs.describe_file_systems, FileSystemId="fs-00000000") == "FileSystemNotFound"
    assert error(efs.create_file_system, CreationToken="x", Encrypted=True) == "BadRequest"


def test_a_mount_target_is_in_a_subnet_once(efs, client, file_system):
    subnet = client("ec2").describe_subnets()["Subnets"][0]
    where = {"FileSystemId": file_system["FileSystemId"], "SubnetId": subnet["SubnetId"]}
    target = efs.create_mount_target(**where)
    assert target["AvailabilityZoneName"] == subnet["AvailabilityZone"]
    assert error(efs.create_mount_target, **where) == "MountTargetConflict"
    assert error(efs.delete_file_system, FileSystemId=where["FileSystemId"]) == "FileSystemInUse"
    found = efs.describe_file_systems(FileSystemId=where["FileSystemId"])["FileSystems"][0]
    assert found["NumberOfMountTargets"] == 1
    efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    assert error(efs.delete_mount_target, MountTargetId=target["MountTargetId"]) == "MountTargetNotFound"


def test_an_access_point_keeps_its_user_and_directory(efs, file_system):
    point = efs.create_access_point(
        ClientToken="t" + uuid.uuid4().hex,
        FileSystemId=file_system["FileSystemId"],
        PosixUser={"Uid": 1000, "Gid": 1001},
        RootDirectory={
            "Path": "/app",
            "CreationInfo": {"OwnerUid": 1000, "OwnerGid": 1001, "Permissions": "0750"},
        },
    )
    (found,) = efs.describe_access_points(AccessPointId=point["AccessPointId"])["AccessPoints"]
    assert found["PosixUser"] == {"Uid": 1000, "Gid": 1001}
    assert found["RootDirectory"]["CreationInfo"]["Permissions"] == "0750"
    efs.delete_access_point(AccessPointId=point["AccessPointId"])
    assert efs.describe_access_points(FileSystemId=file_system["FileSystemId"])["AccessPoints"] == []


def test_the_cli_lists_file_systems(aws, file_system):
    listed = aws("efs describe-file-systems")["FileSystems"]
    assert file_system["FileSystemId"] in [found["FileSystemId"] for found in listed]


def test_each_operation_answers_with_its_own_status(efs, client):
    subnet = client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    status = lambda answer: answer["ResponseMetadata"]["HTTPStatusCode"]
    made = efs.create_file_system(CreationToken=uuid.uuid4().hex)
    id = made["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=id, SubnetId=subnet)
    point = efs.create_access_point(ClientToken=uuid.uuid4().hex, FileSystemId=id)
    assert [status(answer) for answer in (made, target, point)] == [201, 200, 200]
    assert status(efs.describe_file_systems(FileSystemId=id)) == 200
    gone = (
        efs.delete_access_point(AccessPointId=point["AccessPointId"]),
        efs.delete_mount_target(MountTargetId=target["MountTargetId"]),
        efs.delete_file_system(FileSystemId=id),
    )
    assert [status(answer) for answer in gone] == [204, 204, 204]
