"""Secrets Manager."""

import uuid
from pathlib import Path

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def secrets(client):
    return client("secretsmanager")


@pytest.fixture
def name(secrets):
    name = f"prod/{uuid.uuid4().hex[:8]}"
    yield name
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def code(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_a_value_is_current_then_previous_then_unlabelled(secrets, name):
    made = secrets.create_secret(Name=name, SecretString="one", Description="a secret")
    assert made["ARN"].startswith(f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-")
    two = secrets.put_secret_value(SecretId=name, SecretString="two")
    assert two["VersionStages"] == ["AWSCURRENT"]
    value = secrets.get_secret_value(SecretId=made["ARN"])
    assert (value["SecretString"], value["VersionId"], value["Name"]) == ("two", two["VersionId"], name)
    before = secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")
    assert (before["SecretString"], before["VersionId"]) == ("one", made["VersionId"])
    secrets.update_secret(SecretId=name, SecretString="three", Description="changed")
    assert secrets.get_secret_value(SecretId=name, VersionId=made["VersionId"])["SecretString"] == "one"
    assert code(secrets.get_secret_value, SecretId=name, VersionStage="none") == "ResourceNotFoundException"
    described = secrets.describe_secret(SecretId=name)
    assert described["Description"] == "changed"
    assert sorted(map(tuple, described["VersionIdsToStages"].values())) == [("AWSCURRENT",), ("AWSPREVIOUS",)]
    labelled = secrets.list_secret_version_ids(SecretId=name)["Versions"]
    every = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    assert (len(labelled), len(every)) == (2, 3)
    secrets.update_secret_version_stage(
        SecretId=name,
        VersionStage="AWSCURRENT",
        RemoveFromVersionId=secrets.get_secret_value(SecretId=name)["VersionId"],
        MoveToVersionId=made["VersionId"],
    )
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "one"


def test_a_token_makes_a_request_one_that_can_be_repeated(secrets, name):
    token = str(uuid.uuid4())
    first = secrets.create_secret(Name=name, SecretString="one", ClientRequestToken=token)
    again = secrets.create_secret(Name=name, SecretString="one", ClientRequestToken=token)
    assert first["VersionId"] == again["VersionId"] == token and first["ARN"] == again["ARN"]
    for call, arguments in [
        (secrets.create_secret, {"Name": name}),
        (secrets.put_secret_value, {"SecretId": name, "ClientRequestToken": token}),
    ]:
        assert code(call, SecretString="two", **arguments) == "ResourceExistsException"


def test_a_deletion_can_be_taken_back(secrets, name):
    secrets.create_secret(Name=name, SecretString="one")
    deleted = secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    assert deleted["Name"] == name
    assert code(secrets.get_secret_value, SecretId=name) == "InvalidRequestException"
    assert code(secrets.create_secret, Name=name, SecretString="x") == "InvalidRequestException"
    assert "DeletedDate" in secrets.describe_secret(SecretId=name)
    names = [secret["Name"] for secret in secrets.list_secrets()["SecretList"]]
    assert name not in names
    secrets.restore_secret(SecretId=name)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "one"


def test_bytes_tags_and_filters(secrets, name):
    secrets.create_secret(Name=name, SecretBinary=b"\x00\xff", Tags=[{"Key": "team", "Value": name}])
    assert secrets.get_secret_value(SecretId=name)["SecretBinary"] == b"\x00\xff"
    secrets.tag_resource(SecretId=name, Tags=[{"Key": "a", "Value": "1"}])
    secrets.untag_resource(SecretId=name, TagKeys=["a"])
    assert secrets.describe_secret(SecretId=name)["Tags"] == [{"Key": "team", "Value": name}]
    (found,) = secrets.list_secrets(Filters=[{"Key": "tag-value", "Values": [name]}])["SecretList"]
    assert found["Name"] == name and "SecretString" not in found
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name)


def test_what_is_wrong_or_not_done_is_refused_by_name(secrets, name):
    assert code(secrets.get_secret_value, SecretId=name) == "ResourceNotFoundException"
    assert code(secrets.describe_secret, SecretId=name) == "ResourceNotFoundException"
    assert code(secrets.create_secret, Name="a b", SecretString="x") == "ValidationException"
    both = {"SecretString": "x", "SecretBinary": b"x"}
    assert code(secrets.create_secret, Name=name, **both) == "InvalidParameterException"
    with pytest.raises(ClientError) as caught:
        secrets.create_secret(Name=name, SecretString="x", KmsKeyId="alias/mine")
    assert "KmsKeyId" in caught.value.response["Error"]["Message"]
    window = {"RecoveryWindowInDays": 5}
    secrets.create_secret(Name=name, SecretString="x")
    assert code(secrets.delete_secret, SecretId=name, **window) == "InvalidParameterException"


def test_the_state_holds_no_value_in_clear_and_only_root_reads_the_key(secrets, name, wharf_state):
    secrets.create_secret(Name=name, SecretString="correct-horse-battery")
    held = [path for path in Path(wharf_state).rglob("*") if path.is_file()]
    assert any(path.name == "state.redb" for path in held)
    for path in held:
        assert b"correct-horse-battery" not in path.read_bytes(), path
    assert (Path(wharf_state) / "secrets.key").stat().st_mode & 0o777 == 0o600


def test_the_cli_makes_and_reads_a_secret(aws, name):
    made = aws(f"secretsmanager create-secret --name {name} --secret-string plain")
    value = aws(f"secretsmanager get-secret-value --secret-id {made['ARN']}")
    assert value["SecretString"] == "plain"
