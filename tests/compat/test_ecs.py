"""ECS by boto3: clusters, task definitions, failures as data, pages, tags. Tasks themselves are tests/e2e's matter."""

import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def ecs(client):
    return client("ecs")


@pytest.fixture
def cluster(ecs):
    name = f"compat-{uuid.uuid4().hex[:8]}"
    yield ecs.create_cluster(clusterName=name)["cluster"]["clusterName"]
    ecs.delete_cluster(cluster=name)


def container(**more):
    return {"name": "app", "image": "hello", "memory": 64, **more}


def code(call, **given):
    with pytest.raises(ClientError) as raised:
        call(**given)
    return raised.value.response["Error"]["Code"]


def test_a_deleted_cluster_is_inactive_and_still_described(ecs):
    name = f"compat-{uuid.uuid4().hex[:8]}"
    made = ecs.create_cluster(clusterName=name)["cluster"]
    assert made["status"] == "ACTIVE" and made["clusterArn"].endswith(f"cluster/{name}")
    assert ecs.create_cluster(clusterName=name)["cluster"]["clusterArn"] == made["clusterArn"]
    assert ecs.delete_cluster(cluster=name)["cluster"]["status"] == "INACTIVE"
    assert ecs.describe_clusters(clusters=[name])["clusters"][0]["status"] == "INACTIVE"


def test_unknown_things_are_failures_and_not_errors(ecs, cluster):
    answer = ecs.describe_clusters(clusters=["nowhere"])
    assert answer["clusters"] == [] and answer["failures"][0]["reason"] == "MISSING"
    answer = ecs.describe_services(cluster=cluster, services=["none"])
    assert answer["services"] == [] and answer["failures"][0]["reason"] == "MISSING"
    assert answer["failures"][0]["arn"].endswith(f"service/{cluster}/none")


def test_each_registration_is_a_new_revision_and_comes_back_as_it_was_given(ecs):
    family = f"compat-{uuid.uuid4().hex[:8]}"
    given = dict(
        family=family,
        networkMode="awsvpc",
        containerDefinitions=[container(environment=[{"name": "A", "value": "1"}], command=["clock"])],
        tags=[{"key": "team", "value": "web"}],
    )
    first = ecs.register_task_definition(**given)["taskDefinition"]
    second = ecs.register_task_definition(**given)["taskDefinition"]
    assert (first["revision"], second["revision"]) == (1, 2)
    described = ecs.describe_task_definition(taskDefinition=family, include=["TAGS"])
    shown = described["taskDefinition"]["containerDefinitions"][0]
    assert shown["environment"] == [{"name": "A", "value": "1"}] and shown["essential"] is True
    assert shown["portMappings"] == [] and shown["mountPoints"] == [] and shown["volumesFrom"] == []
    assert described["tags"] == [{"key": "team", "value": "web"}]
    assert ecs.deregister_task_definition(taskDefinition=f"{family}:1")["taskDefinition"]["status"] == "INACTIVE"
    pages = ecs.get_paginator("list_task_definitions").paginate(
        familyPrefix=family, PaginationConfig={"PageSize": 1}
    )
    assert [arn.rsplit("/", 1)[1] for page in pages for arn in page["taskDefinitionArns"]] == [f"{family}:2"]
    ecs.deregister_task_definition(taskDefinition=f"{family}:2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"containerDefinitions": []},
        {"containerDefinitions": [container(image="")]},
        {
            "containerDefinitions": [container(privileged=True)],
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
        },
        {
            "containerDefinitions": [container(portMappings=[{"containerPortRange": "80-90"}])],
            "networkMode": "bridge",
        },
        {"containerDefinitions": [container(portMappings=[{"containerPort": 80}])], "networkMode": "none"},
        {
            "containerDefinitions": [container(portMappings=[{"containerPort": 80, "hostPort": 81}])],
            "networkMode": "host",
        },
        {"containerDefinitions": [container()], "requiresCompatibilities": ["FARGATE"], "cpu": "256"},
        {"containerDefinitions": [container()], "volumes": [{"name": "data", "configuredAtLaunch": True}]},
    ],
)
def test_a_definition_that_cannot_run_is_refused_and_not_kept(ecs, wrong):
    family = f"compat-{uuid.uuid4().hex[:8]}"
    given = {"networkMode": "awsvpc", **wrong}
    assert code(ecs.register_task_definition, family=family, **given) == "ClientException"
    assert ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"] == []


def test_errors_have_awss_codes(ecs, client, cluster):
    subnet = client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet]}}
    assert code(ecs.list_tasks, cluster="nowhere") == "ClusterNotFoundException"
    assert code(ecs.update_service, cluster=cluster, service="none") == "ServiceNotFoundException"
    assert code(ecs.describe_tasks, cluster=cluster, tasks=[]) == "InvalidParameterException"
    absent = {"cluster": cluster, "taskDefinition": "none"}
    assert code(ecs.run_task, **absent) == "ClientException"
    assert code(ecs.run_task, **absent, networkConfiguration=network) == "ClientException"


# What a container is told and allowed, each with a value that comes back as it was given.
EVERYTHING = {
    "stopTimeout": 5,
    "versionConsistency": "disabled",
    "user": "nobody",
    "workingDirectory": "/srv",
    "privileged": False,
    "readonlyRootFilesystem": True,
    "dockerSecurityOptions": ["no-new-privileges"],
    "interactive": True,
    "pseudoTerminal": False,
    "dockerLabels": {"team": "web"},
    "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
    "systemControls": [{"namespace": "net.core.somaxconn", "value": "64"}],
    "entryPoint": ["/bin/sh", "-c"],
    "memoryReservation": 32,
    "linuxParameters": {
        "capabilities": {"add": ["NET_ADMIN"], "drop": ["MKNOD"]},
        "devices": [{"hostPath": "/dev/null", "containerPath": "/dev/nothing", "permissions": ["read"]}],
        "initProcessEnabled": True,
        "sharedMemorySize": 32,
        "tmpfs": [{"containerPath": "/run", "size": 8, "mountOptions": ["exec"]}],
        "maxSwap": 0,
        "swappiness": 10,
    },
}


def test_a_definition_says_everything_and_comes_back_as_it_was_given(ecs):
    family = f"compat-{uuid.uuid4().hex[:8]}"
    ecs.register_task_definition(
        family=family,
        networkMode="awsvpc",
        pidMode="task",
        ipcMode="none",
        cpu="1 vCPU",
        memory="2 GB",
        containerDefinitions=[container(**EVERYTHING)],
    )
    shown = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert (shown["cpu"], shown["memory"], shown["pidMode"], shown["ipcMode"]) == ("1024", "2048", "task", "none")
    given = shown["containerDefinitions"][0]
    assert {member: given.get(member) for member in EVERYTHING} == EVERYTHING
    ecs.deregister_task_definition(taskDefinition=f"{family}:1")


@pytest.mark.parametrize(
    "members, words",
    [
        ({"dependsOn": [{"containerName": "app", "condition": "SOON"}]}, "Invalid condition 'SOON'"),
        ({"credentialSpecs": ["credentialspec:file.json"]}, "'credentialSpecs' of container 'app'"),
        ({"resourceRequirements": [{"type": "GPU", "value": "1"}]}, "'resourceRequirements' of container 'app'"),
        ({"hostname": "web"}, "hostname is not supported on container when networkMode=awsvpc"),
        ({"links": ["db"]}, "Links are not supported when networkMode=awsvpc"),
        ({"extraHosts": [{"hostname": "a", "ipAddress": "10.0.0.1"}]}, "Extra hosts are not supported"),
        ({"dnsServers": ["10.0.0.1"]}, "DNS servers are not supported"),
        ({"disableNetworking": True}, "Disable Networking is not supported"),
        ({"dockerSecurityOptions": ["label:type:x"]}, "label:type:x"),
        ({"systemControls": [{"namespace": "kernel.panic", "value": "1"}]}, "kernel.panic"),
        ({"workingDirectory": "srv"}, "needs to be an absolute path"),
        ({"linuxParameters": {"capabilities": {"add": ["MAGIC"]}}}, "MAGIC"),
        ({"environment": [{"name": "BIG", "value": "x" * 70000}]}, "Max allowed length is '65536' bytes"),
    ],
)
def test_what_is_not_done_is_refused_by_its_name(ecs, members, words):
    family = f"compat-{uuid.uuid4().hex[:8]}"
    with pytest.raises(ClientError, match=words):
        ecs.register_task_definition(family=family, networkMode="awsvpc", containerDefinitions=[container(**members)])
    assert ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"] == []


@pytest.mark.parametrize(
    "members, words",
    [
        ({"privileged": True}, "Fargate requires that the 'privileged' setting be 'false'"),
        ({"linuxParameters": {"devices": [{"hostPath": "/dev/null"}]}}, "do not support devices"),
        ({"linuxParameters": {"sharedMemorySize": 64}}, "do not support sharedMemorySize"),
        ({"linuxParameters": {"maxSwap": 64}}, "do not support maxSwap"),
        ({"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"]}}}, "SYS_ADMIN is not allowed on Fargate."),
        ({"dockerSecurityOptions": ["no-new-privileges"]}, "do not support dockerSecurityOptions"),
    ],
)
def test_fargate_allows_less(ecs, members, words):
    with pytest.raises(ClientError, match=words):
        ecs.register_task_definition(
            family=f"compat-{uuid.uuid4().hex[:8]}",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container(**members)],
        )
