"""The parameter store of Systems Manager."""

import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def ssm(client):
    return client("ssm")


@pytest.fixture
def path(ssm):
    path = f"/app/{uuid.uuid4().hex[:8]}"
    yield path
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
    for page in pages:
        for parameter in page["Parameters"]:
            ssm.delete_parameter(Name=parameter["Name"])


def code(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_a_value_is_overwritten_only_when_that_is_asked_for(ssm, path):
    put = ssm.put_parameter(Name=path, Value="one", Type="String", Description="text")
    assert (put["Version"], put["Tier"]) == (1, "Standard")
    assert code(ssm.put_parameter, Name=path, Value="two", Type="String") == "ParameterAlreadyExists"
    assert ssm.put_parameter(Name=path, Value="two", Overwrite=True)["Version"] == 2
    found = ssm.get_parameter(Name=path)["Parameter"]
    assert (found["Value"], found["Version"], found["Type"]) == ("two", 2, "String")
    assert found["ARN"] == f"arn:aws:ssm:us-east-1:123456789012:parameter{path}"
    first = ssm.get_parameter(Name=f"{path}:1")["Parameter"]
    assert (first["Value"], first["Selector"]) == ("one", ":1")
    assert ssm.get_parameter(Name=found["ARN"])["Parameter"]["Value"] == "two"
    history = ssm.get_parameter_history(Name=path)["Parameters"]
    assert [entry["Value"] for entry in history] == ["one", "two"]
    assert code(ssm.get_parameter, Name=f"{path}:9") == "ParameterVersionNotFound"
    ssm.delete_parameter(Name=path)
    assert code(ssm.get_parameter, Name=path) == "ParameterNotFound"


def test_a_secure_string_is_shown_in_clear_only_to_those_who_ask(ssm, path):
    ssm.put_parameter(Name=path, Value="hunter2", Type="SecureString", KeyId="alias/aws/ssm")
    assert ssm.get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"] == "hunter2"
    sealed = ssm.get_parameter(Name=path)["Parameter"]["Value"]
    assert sealed and "hunter2" not in sealed
    (entry,) = ssm.get_parameter_history(Name=path)["Parameters"]
    assert entry["Value"] == sealed
    (described,) = ssm.describe_parameters(
        ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [path]}]
    )["Parameters"]
    assert described["KeyId"] == "alias/aws/ssm" and "Value" not in described
    ssm.delete_parameter(Name=path)


def test_parameters_are_found_by_name_and_by_path(ssm, path):
    for name in ["a", "b", "deep/c"]:
        ssm.put_parameter(Name=f"{path}/{name}", Value=name, Type="String")
    several = ssm.get_parameters(Names=[f"{path}/a", f"{path}/none", f"{path}/b"])
    assert [found["Value"] for found in several["Parameters"]] == ["a", "b"]
    assert several["InvalidParameters"] == [f"{path}/none"]
    values = lambda **more: [  # noqa: E731
        found["Value"] for found in ssm.get_parameters_by_path(Path=path, **more)["Parameters"]
    ]
    assert values() == ["a", "b"]
    assert values(Recursive=True) == ["a", "b", "deep/c"]
    first = ssm.get_parameters_by_path(Path=path, MaxResults=1)
    rest = ssm.get_parameters_by_path(Path=path, MaxResults=1, NextToken=first["NextToken"])
    assert rest["Parameters"][0]["Value"] == "b"
    below = ssm.describe_parameters(
        ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": [path]}]
    )
    assert len(below["Parameters"]) == 3
    gone = ssm.delete_parameters(Names=[f"{path}/a", f"{path}/none"])
    assert (gone["DeletedParameters"], gone["InvalidParameters"]) == ([f"{path}/a"], [f"{path}/none"])


def test_tags(ssm, path):
    ssm.put_parameter(Name=path, Value="x", Type="String", Tags=[{"Key": "a", "Value": "1"}])
    ssm.add_tags_to_resource(
        ResourceType="Parameter", ResourceId=path, Tags=[{"Key": "b", "Value": "2"}]
    )
    ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=path, TagKeys=["a"])
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=path)["TagList"]
    assert tags == [{"Key": "b", "Value": "2"}]
    ssm.delete_parameter(Name=path)
    assert code(ssm.list_tags_for_resource, ResourceType="Parameter", ResourceId=path) == "InvalidResourceId"


def test_rules_of_names_and_values(ssm, path):
    put = ssm.put_parameter
    assert code(put, Name="ssm-x", Value="x", Type="String") == "ValidationException"
    assert code(put, Name="a/b", Value="x", Type="String") == "ValidationException"
    assert code(put, Name=path, Value="x") == "ValidationException"
    assert code(put, Name=path, Value="x" * 4097, Type="String") == "ValidationException"
    pattern = {"AllowedPattern": "^[0-9]+$", "Type": "String"}
    assert code(put, Name=path, Value="x", **pattern) == "ParameterPatternMismatchException"
    assert put(Name=path, Value="1", Tier="Intelligent-Tiering", **pattern)["Tier"] == "Standard"
    assert code(put, Name=path, Value="x", Overwrite=True) == "ParameterPatternMismatchException"
    assert code(put, Name=f"{path}/k", Value="x", Type="SecureString", KeyId="mine") == "InvalidKeyId"
    ssm.delete_parameter(Name=path)


def test_the_cli_puts_and_gets_a_parameter(aws, path):
    aws(f"ssm put-parameter --name {path} --type SecureString --value plain")
    found = aws(f"ssm get-parameter --name {path} --with-decryption")
    assert found["Parameter"]["Value"] == "plain"
    aws(f"ssm delete-parameter --name {path}")
