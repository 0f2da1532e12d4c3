"""Who waits for whom, health checks and restarts in task definitions, and ExecuteCommand's refusals, with boto3."""

import uuid

import pytest
from botocore.exceptions import ClientError

CHECK = {"command": ["CMD-SHELL", "true"], "interval": 5, "timeout": 2, "retries": 1, "startPeriod": 0}


@pytest.fixture(scope="module")
def ecs(client):
    """Returns a client of ECS."""
    return client("ecs")


def register(ecs, first: dict, second: dict) -> dict:
    """Registers two containers, `app`, which is essential, and `other`, which is not unless it says so."""
    app = {"name": "app", "image": "hello", "memory": 64, **first}
    other = {"name": "other", "image": "hello", "memory": 64, "essential": False, **second}
    made = ecs.register_task_definition(
        family=f"compat-{uuid.uuid4().hex[:8]}", networkMode="awsvpc", containerDefinitions=[app, other]
    )
    return made["taskDefinition"]


def waits(condition: str, name: str = "other") -> dict:
    """Returns what makes a container wait for another."""
    return {"dependsOn": [{"containerName": name, "condition": condition}]}


def test_what_was_said_of_containers_lives_is_shown(ecs):
    policy = {"enabled": True, "ignoredExitCodes": [0, 3], "restartAttemptPeriod": 60}
    first = {**waits("HEALTHY"), "startTimeout": 30, "stopTimeout": 10, "restartPolicy": policy}
    app, other = register(ecs, first, {"healthCheck": CHECK})["containerDefinitions"]
    assert {key: app[key] for key in first} == first
    assert other["healthCheck"] == CHECK


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (waits("START", "nobody"), {}, "Cannot depend on container . 'nobody' because it does not exist"),
        (waits("SUCCESS"), {"essential": True}, "SUCCESS or COMPLETE condition cannot be an essential container"),
        (waits("COMPLETE"), {"essential": True}, "SUCCESS or COMPLETE condition cannot be an essential container"),
        (waits("HEALTHY"), {}, "has no health check"),
        (waits("START"), waits("START", "app"), "should not have a cycle"),
        (waits("DONE"), {}, "DONE"),
        ({"healthCheck": {**CHECK, "interval": 4}}, {}, "'interval' of the healthCheck"),
        ({"healthCheck": {**CHECK, "command": ["true"]}}, {}, "must begin with CMD or CMD-SHELL"),
        ({"restartPolicy": {"enabled": True, "restartAttemptPeriod": 59}}, {}, "restartAttemptPeriod"),
    ],
)
def test_lives_that_cannot_be_are_refused(ecs, first, second, words):
    with pytest.raises(ClientError, match=words) as refused:
        register(ecs, first, second)
    assert refused.value.response["Error"]["Code"] == "ClientException"


def test_a_command_is_refused_where_there_is_nothing_to_run_it_in(ecs):
    def code(**given) -> str:
        with pytest.raises(ClientError) as refused:
            ecs.execute_command(**{"task": "0" * 32, "command": "sh", "interactive": True, **given})
        return refused.value.response["Error"]["Code"]

    ecs.create_cluster(clusterName="default")
    assert code(cluster="nowhere") == "ClusterNotFoundException"
    assert code() == "InvalidParameterException"
    assert code(command="echo 'never closed") == "InvalidParameterException"
