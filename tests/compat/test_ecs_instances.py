"""Container instances, placement, attributes, capacity providers and settings, on instances that the tests play."""

import pytest
from agent import Cluster, Refused, within
from botocore.exceptions import ClientError


@pytest.fixture
def cluster(client, endpoint):
    cluster = Cluster(client("ecs"), client("ec2"), endpoint)
    yield cluster
    cluster.remove()


def refused(call, **given):
    with pytest.raises(ClientError) as raised:
        call(**given)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def of(tasks):
    return [task["containerInstanceArn"] for task in tasks]


def resource(instance, name, which="remainingResources"):
    found = next(found for found in instance[which] if found["name"] == name)
    return found["integerValue"] if found["type"] == "INTEGER" else found["stringSetValue"]


def test_the_machine_is_an_instance_of_every_cluster_until_it_is_deregistered(client):
    ecs = client("ecs")
    ecs.create_cluster(clusterName="compat-machine")
    try:
        [arn] = ecs.list_container_instances(cluster="compat-machine")["containerInstanceArns"]
        described = ecs.describe_container_instances(
            cluster="compat-machine", containerInstances=[arn], include=["TAGS", "CONTAINER_INSTANCE_HEALTH"]
        )["containerInstances"][0]
        assert described["status"] == "ACTIVE" and described["agentConnected"] is True
        assert described["healthStatus"]["overallStatus"] == "OK"
        assert {"name": "ecs.os-type", "value": "linux"} in described["attributes"]
        assert resource(described, "CPU", "registeredResources") > 0
        assert "22" in resource(described, "PORTS")
        counted = lambda: ecs.describe_clusters(clusters=["compat-machine"])["clusters"][0]
        assert counted()["registeredContainerInstancesCount"] == 1
        gone = ecs.deregister_container_instance(cluster="compat-machine", containerInstance=arn)
        assert gone["containerInstance"]["status"] == "INACTIVE"
        assert ecs.list_container_instances(cluster="compat-machine")["containerInstanceArns"] == []
        again = ecs.register_container_instance(cluster="compat-machine", containerInstanceArn=arn)
        assert again["containerInstance"]["status"] == "ACTIVE"
        assert counted()["registeredContainerInstancesCount"] == 1
    finally:
        ecs.delete_cluster(cluster="compat-machine")


def test_an_instance_shows_what_its_tasks_take_and_gives_it_back(cluster):
    arn, definition = cluster.machine(cpu=1024, memory=2048), cluster.define(cpu=256, memory=512)
    [task] = cluster.run(definition, launchType="EC2")["tasks"]
    assert task["containerInstanceArn"] == arn and task["launchType"] == "EC2"
    describe = lambda: cluster.ecs.describe_container_instances(cluster=cluster.name, containerInstances=[arn])[
        "containerInstances"
    ][0]
    assert (resource(describe(), "CPU"), resource(describe(), "MEMORY")) == (768, 1536)
    assert describe()["pendingTasksCount"] == 1
    cluster.says(task["taskArn"], "RUNNING", containers=[{"containerName": "app", "runtimeId": "r1", "status": "RUNNING"}])
    assert describe()["runningTasksCount"] == 1
    cluster.ecs.get_waiter("tasks_running").wait(cluster=cluster.name, tasks=[task["taskArn"]])
    [running] = cluster.tasks()
    assert running["lastStatus"] == "RUNNING" and running["containers"][0]["runtimeId"] == "r1"
    exits = [{"containerName": "app", "status": "STOPPED", "exitCode": 3}]
    cluster.says(task["taskArn"], "STOPPED", reason="Essential container in task exited", containers=exits)
    [stopped] = cluster.tasks(status="STOPPED")
    assert stopped["stopCode"] == "EssentialContainerExited" and stopped["containers"][0]["exitCode"] == 3
    assert resource(describe(), "CPU") == 1024
    cluster.ecs.get_waiter("tasks_stopped").wait(cluster=cluster.name, tasks=[task["taskArn"]])


def test_what_does_not_fit_is_a_failure_that_names_the_closest_instance(cluster):
    assert refused(cluster.run, definition=cluster.define(), launchType="EC2") == (
        "InvalidParameterException",
        "No Container Instances were found in your cluster.",
    )
    small = cluster.machine(cpu=128, memory=4096)
    tight = cluster.machine(cpu=4096, memory=256)
    answer = cluster.run(cluster.define(cpu=256, memory=512), launchType="EC2")
    assert answer["tasks"] == [] and answer["failures"] == [{"arn": small, "reason": "RESOURCE:CPU"}]
    answer = cluster.run(cluster.define(cpu=64, memory=8192), launchType="EC2")
    assert answer["failures"] == [{"arn": small, "reason": "RESOURCE:MEMORY"}]
    answer = cluster.run(
        cluster.define(cpu=64, memory=64), launchType="EC2",
        placementConstraints=[{"type": "memberOf", "expression": "attribute:colour == green"}],
    )  # fmt: skip
    assert answer["failures"][0]["reason"] == "MemberOf placement constraint unsatisfied."
    assert tight not in of(answer["tasks"])


def test_constraints_and_strategies_choose_instances(cluster):
    a = cluster.machine(zone="east", memory=2048)
    b = cluster.machine(zone="east", memory=4096)
    c = cluster.machine(zone="west", memory=3072)
    definition = cluster.define(cpu=16, memory=64)
    placed = lambda **given: of(cluster.run(definition, launchType="EC2", **given)["tasks"])
    distinct = [{"type": "distinctInstance"}]
    assert set(placed(count=3, group="d", placementConstraints=distinct)) == {a, b, c}
    answer = cluster.run(definition, launchType="EC2", count=1, group="d", placementConstraints=distinct)
    assert answer["failures"][0]["reason"] == "DistinctInstance placement constraint unsatisfied."
    west = [{"type": "memberOf", "expression": "attribute:zone == west and runningTasksCount < 100"}]
    assert placed(count=2, placementConstraints=west) == [c, c]
    packed = [{"type": "binpack", "field": "memory"}]
    assert placed(count=3, group="p", placementStrategy=packed) == [a, a, a]
    spread = [{"type": "spread", "field": "attribute:zone"}, {"type": "binpack", "field": "memory"}]
    zones = placed(count=4, group="s", placementStrategy=spread)
    assert sorted(zones) == sorted([a, a, c, c])
    assert set(placed(count=6, group="i", placementStrategy=[{"type": "spread", "field": "instanceId"}])) == {a, b, c}
    constrained = cluster.define(
        cpu=16, memory=64, placementConstraints=[{"type": "memberOf", "expression": "attribute:zone == west"}]
    )
    assert of(cluster.run(constrained, launchType="EC2")["tasks"]) == [c]


@pytest.mark.parametrize(
    "wrong",
    [
        {"placementConstraints": [{"type": "memberOf", "expression": "colour is green"}]},
        {"placementConstraints": [{"type": "distinctInstance", "expression": "attribute:a exists"}]},
        {"placementConstraints": [{"type": "distinctInstance"}] * 11},
        {"placementStrategy": [{"type": "binpack", "field": "disk"}]},
        {"placementStrategy": [{"type": "random", "field": "cpu"}]},
        {"placementStrategy": [{"type": "random"}] * 6},
    ],
)
def test_a_placement_that_makes_no_sense_is_refused(cluster, wrong):
    cluster.machine()
    code, _ = refused(cluster.run, definition=cluster.define(), launchType="EC2", **wrong)
    assert code == "InvalidParameterException" and cluster.tasks() == []


def test_start_task_goes_where_it_is_told_and_says_what_stands_against_it(cluster):
    a, full = cluster.machine(), cluster.machine(cpu=64)
    unknown = a.rsplit("/", 1)[0] + "/" + "0" * 32
    answer = cluster.ecs.start_task(
        cluster=cluster.name, taskDefinition=cluster.define(), containerInstances=[a, full, unknown],
        networkConfiguration=cluster.network, startedBy="me", referenceId="mine",
    )  # fmt: skip
    assert of(answer["tasks"]) == [a] and answer["tasks"][0]["startedBy"] == "me"
    assert {(failure["arn"], failure["reason"]) for failure in answer["failures"]} == {
        (full, "RESOURCE:CPU"), (unknown, "MISSING"),
    }  # fmt: skip
    listed = cluster.ecs.list_tasks(cluster=cluster.name, containerInstance=a)["taskArns"]
    assert listed == [answer["tasks"][0]["taskArn"]]


def test_instances_are_listed_by_expression_and_status(cluster):
    a, b = cluster.machine(colour="green"), cluster.machine(colour="red")
    listed = lambda **given: cluster.ecs.list_container_instances(cluster=cluster.name, **given)["containerInstanceArns"]
    assert set(listed()) == {a, b}
    assert listed(filter="attribute:colour in [green, blue] and agentVersion >= 1.9.0") == [a]
    assert listed(filter="task:group == family:none") == []
    assert len(listed(maxResults=1)) == 1
    changed = cluster.ecs.update_container_instances_state(
        cluster=cluster.name, containerInstances=[b, "0" * 32], status="DRAINING"
    )
    assert [found["status"] for found in changed["containerInstances"]] == ["DRAINING"]
    assert changed["failures"][0]["reason"] == "MISSING"
    assert (listed(status="DRAINING"), listed(status="ACTIVE")) == ([b], [a])
    assert refused(cluster.ecs.list_container_instances, cluster=cluster.name, filter="colour")[0] == (
        "InvalidParameterException"
    )


def test_attributes_are_put_listed_and_deleted(cluster):
    arn = cluster.machine()
    attribute = {"name": "stack", "value": "production", "targetId": arn}
    put = cluster.ecs.put_attributes(cluster=cluster.name, attributes=[attribute])["attributes"]
    assert put == [{**attribute, "targetType": "container-instance"}]
    listed = lambda **given: cluster.ecs.list_attributes(
        cluster=cluster.name, targetType="container-instance", **given
    )["attributes"]
    assert listed(attributeName="stack") == put
    assert listed(attributeName="stack", attributeValue="test") == []
    cluster.ecs.delete_attributes(cluster=cluster.name, attributes=[{"name": "stack", "targetId": arn}])
    assert listed(attributeName="stack") == []
    unknown = [{"name": "stack", "targetId": "0" * 32}]
    assert refused(cluster.ecs.put_attributes, cluster=cluster.name, attributes=unknown)[0] == "TargetNotFoundException"
    ten = [{"name": f"a{number}", "targetId": arn} for number in range(10)]
    cluster.ecs.put_attributes(cluster=cluster.name, attributes=ten)
    more = [{"name": "b", "targetId": arn}]
    code, _ = refused(cluster.ecs.put_attributes, cluster=cluster.name, attributes=more)
    assert code == "AttributeLimitExceededException"


def test_an_instance_with_tasks_goes_only_by_force(cluster):
    arn = cluster.machine()
    [task] = cluster.run(cluster.define(), launchType="EC2")["tasks"]
    gone = {"cluster": cluster.name, "containerInstance": arn}
    assert refused(cluster.ecs.deregister_container_instance, **gone) == (
        "InvalidParameterException", "Found running tasks on the instance.",
    )  # fmt: skip
    assert refused(cluster.ecs.delete_cluster, cluster=cluster.name)[0] == "ClusterContainsContainerInstancesException"
    cluster.ecs.deregister_container_instance(**gone, force=True)
    [stopped] = cluster.tasks(status="STOPPED")
    assert stopped["taskArn"] == task["taskArn"] and stopped["stopCode"] == "TerminationNotice"


def test_capacity_providers_are_made_used_and_deleted(cluster):
    ecs, name = cluster.ecs, f"{cluster.name}-own"
    group = f"arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:{'0' * 8}:autoScalingGroupName/{name}"
    made = ecs.create_capacity_provider(
        name=name, autoScalingGroupProvider={"autoScalingGroupArn": group}, tags=[{"key": "a", "value": "b"}]
    )["capacityProvider"]
    assert made["status"] == "ACTIVE" and made["autoScalingGroupProvider"]["managedScaling"]["status"] == "DISABLED"
    described = ecs.describe_capacity_providers(capacityProviders=["FARGATE", name, "none"], include=["TAGS"])
    assert {found["name"] for found in described["capacityProviders"]} == {"FARGATE", name}
    assert described["failures"][0]["reason"] == "MISSING"
    strategy = [{"capacityProvider": name, "weight": 1, "base": 1}]
    definition, inside = cluster.define(), cluster.machine(**{"wharf.auto-scaling-group": name})
    outside = cluster.machine(memory=8192, **{"wharf.auto-scaling-group": "another"})
    run = lambda **given: cluster.run(definition, **given)
    code, message = refused(run, capacityProviderStrategy=strategy)
    assert code == "InvalidParameterException" and "not associated with the cluster" in message
    put = ecs.put_cluster_capacity_providers(
        cluster=cluster.name, capacityProviders=[name, "FARGATE"], defaultCapacityProviderStrategy=strategy
    )["cluster"]
    assert put["capacityProviders"] == [name, "FARGATE"] and put["defaultCapacityProviderStrategy"] == strategy
    [task] = run(capacityProviderStrategy=strategy)["tasks"]
    assert (task["containerInstanceArn"], task["capacityProviderName"]) == (inside, name)
    [task] = run()["tasks"]
    assert task["capacityProviderName"] == name, "the cluster's default strategy holds where nothing is said"
    [task] = run(launchType="EC2")["tasks"]
    assert task["containerInstanceArn"] == outside and "capacityProviderName" not in task
    assert refused(run, launchType="EC2", capacityProviderStrategy=strategy)[0] == "InvalidParameterException"
    assert refused(ecs.delete_capacity_provider, capacityProvider=name)[0] == "ClientException"
    nothing = {"cluster": cluster.name, "capacityProviders": [], "defaultCapacityProviderStrategy": []}
    assert refused(ecs.put_cluster_capacity_providers, **nothing)[0] == "ResourceInUseException"
    for task in cluster.tasks():
        cluster.says(task["taskArn"], "STOPPED")
    ecs.put_cluster_capacity_providers(**nothing)
    assert ecs.delete_capacity_provider(capacityProvider=name)["capacityProvider"]["status"] == "INACTIVE"
    scaled = {"autoScalingGroupArn": group, "managedScaling": {"status": "ENABLED"}}
    code, message = refused(ecs.create_capacity_provider, name=name, autoScalingGroupProvider=scaled)
    assert code == "InvalidParameterException" and "managedScaling" in message


def test_fargate_and_spot_share_tasks_by_weight(cluster):
    ecs, both = cluster.ecs, ["FARGATE", "FARGATE_SPOT"]
    strategy = [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 3},
    ]
    ecs.put_cluster_capacity_providers(
        cluster=cluster.name, capacityProviders=both, defaultCapacityProviderStrategy=strategy
    )
    tasks = cluster.run(cluster.define_fargate(), count=5)["tasks"]
    providers = [task["capacityProviderName"] for task in tasks]
    assert sorted(providers) == ["FARGATE"] * 2 + ["FARGATE_SPOT"] * 3
    assert {task["launchType"] for task in tasks} == {"FARGATE"}
    for task in tasks:
        ecs.stop_task(cluster=cluster.name, task=task["taskArn"])
    stopped = lambda: all(task["lastStatus"] == "STOPPED" for task in cluster.tasks(status="STOPPED"))
    within(30, "the tasks are gone", stopped)


def test_settings_of_the_account_and_of_clusters(client, cluster):
    ecs = client("ecs")
    effective = ecs.list_account_settings(effectiveSettings=True)["settings"]
    assert {"taskLongArnFormat", "containerInsights", "awsvpcTrunking"} <= {setting["name"] for setting in effective}
    assert ecs.list_account_settings(name="awsvpcTrunking")["settings"] == []
    put = ecs.put_account_setting(name="awsvpcTrunking", value="enabled")["setting"]
    assert put["value"] == "enabled" and put["principalArn"].startswith("arn:aws:iam::")
    assert ecs.list_account_settings(name="awsvpcTrunking")["settings"] == [put]
    assert ecs.delete_account_setting(name="awsvpcTrunking")["setting"]["value"] == "disabled"
    assert ecs.list_account_settings(name="awsvpcTrunking")["settings"] == []
    assert refused(ecs.put_account_setting, name="taskLongArnFormat", value="disabled")[0] == "InvalidParameterException"
    ecs.put_account_setting_default(name="fargateTaskRetirementWaitPeriod", value="14")
    [setting] = ecs.list_account_settings(name="fargateTaskRetirementWaitPeriod", effectiveSettings=True)["settings"]
    assert setting["value"] == "14"
    ecs.put_account_setting_default(name="fargateTaskRetirementWaitPeriod", value="7")
    configuration = {"executeCommandConfiguration": {"logging": "DEFAULT"}}
    ecs.update_cluster(cluster=cluster.name, configuration=configuration)
    ecs.update_cluster_settings(cluster=cluster.name, settings=[{"name": "containerInsights", "value": "disabled"}])
    include = ["SETTINGS", "CONFIGURATIONS", "STATISTICS", "ATTACHMENTS", "TAGS"]
    [shown] = ecs.describe_clusters(clusters=[cluster.name], include=include)["clusters"]
    assert shown["configuration"] == configuration and shown["attachments"] == []
    assert shown["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert {"name": "runningEC2TasksCount", "value": "0"} in shown["statistics"]
    [bare] = ecs.describe_clusters(clusters=[cluster.name])["clusters"]
    assert "configuration" not in bare and bare["settings"] == [] and bare["capacityProviders"] == []


def test_instances_and_providers_have_tags(cluster):
    arn = cluster.machine()
    cluster.ecs.tag_resource(resourceArn=arn, tags=[{"key": "rack", "value": "7"}])
    assert cluster.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "rack", "value": "7"}]
    cluster.ecs.untag_resource(resourceArn=arn, tagKeys=["rack"])
    assert cluster.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_agents_ask_and_say_only_what_is_theirs(cluster):
    answer = cluster.ecs.discover_poll_endpoint(cluster=cluster.name)
    assert answer["endpoint"] == cluster.endpoint == answer["telemetryEndpoint"]
    with pytest.raises(Refused) as unknown:
        cluster.says("0" * 32, "RUNNING")
    assert unknown.value.code == "InvalidParameterException"
    code, _ = refused(cluster.ecs.list_services_by_namespace, namespace="none")
    assert code == "NamespaceNotFoundException"
