"""Services and their deployments, on instances that the tests play: rolling, daemons, task sets, breakers, protection."""

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


def messages(service):
    return [event["message"] for event in service["events"]]


def test_a_deployment_has_a_story_and_a_revision(cluster):
    cluster.machine()
    first, ecs = cluster.define(), cluster.ecs
    made = cluster.create_service("web", first, desiredCount=2)
    assert made["currentServiceDeployment"].startswith("arn:aws:ecs:") and made["deployments"][0]["failedTasks"] == 0
    cluster.settle("web")
    [story] = ecs.list_service_deployments(cluster=cluster.name, service="web")["serviceDeployments"]
    assert story["status"] == "SUCCESSFUL" and "finishedAt" in story
    second = cluster.define(family=first.split(":")[0])
    ecs.update_service(cluster=cluster.name, service="web", taskDefinition=second)
    settled = cluster.settle("web")
    assert settled["taskDefinition"].endswith(second)
    stories = ecs.list_service_deployments(cluster=cluster.name, service="web")["serviceDeployments"]
    assert [found["status"] for found in stories] == ["SUCCESSFUL"] * 2 and stories[1] == story
    [described] = ecs.describe_service_deployments(serviceDeploymentArns=[stories[0]["serviceDeploymentArn"]])[
        "serviceDeployments"
    ]
    target = described["targetServiceRevision"]
    assert (target["requestedTaskCount"], target["runningTaskCount"], target["pendingTaskCount"]) == (2, 2, 0)
    assert [source["arn"] for source in described["sourceServiceRevisions"]] == [story["targetServiceRevisionArn"]]
    assert described["deploymentCircuitBreaker"]["status"] == "DISABLED"
    revisions = ecs.describe_service_revisions(serviceRevisionArns=[target["arn"], target["arn"] + "0"])
    [revision] = revisions["serviceRevisions"]
    assert revision["taskDefinition"].endswith(second) and revision["launchType"] == "EC2"
    assert revisions["failures"][0]["reason"] == "MISSING"
    ecs.get_waiter("services_stable").wait(cluster=cluster.name, services=["web"])


def test_what_concerns_tasks_makes_a_new_deployment_and_the_rest_does_not(cluster):
    cluster.machine()
    cluster.create_service("web", cluster.define(), desiredCount=1)
    update = lambda **given: cluster.raw("UpdateService", cluster=cluster.name, service="web", **given)["service"]
    count = lambda service: len(service["deployments"])
    in_place = [
        {"desiredCount": 2},
        {"deploymentConfiguration": {"maximumPercent": 150, "minimumHealthyPercent": 50}},
        {"healthCheckGracePeriodSeconds": 5},
        {"propagateTags": "SERVICE", "enableECSManagedTags": True},
        {"availabilityZoneRebalancing": "ENABLED"},
        {"deploymentController": {"type": "ECS"}},
    ]
    for given in in_place:
        assert count(update(**given)) == 1, given
    configuration = cluster.service("web")["deploymentConfiguration"]
    assert (configuration["maximumPercent"], configuration["minimumHealthyPercent"]) == (150, 50)
    replacing = [
        {"forceNewDeployment": True},
        {"placementStrategy": [{"type": "binpack", "field": "memory"}]},
        {"placementConstraints": [{"type": "distinctInstance"}]},
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": cluster.subnets[:1]}}},
    ]
    for place, given in enumerate(replacing):
        before = cluster.service("web")["deployments"][0]["id"]
        assert update(**given)["deployments"][0]["id"] != before, given
    shown = cluster.service("web")
    assert shown["placementStrategy"] == [{"type": "binpack", "field": "MEMORY"}]
    assert shown["placementConstraints"] == [{"type": "distinctInstance"}]
    stories = cluster.ecs.list_service_deployments(cluster=cluster.name, service="web", status=["STOPPED"])
    assert len(stories["serviceDeployments"]) == len(replacing)


@pytest.mark.parametrize(
    "threshold, limit",
    [(None, 3), ({"type": "COUNT", "value": 1}, 1), ({"type": "UNBOUNDED_PERCENT", "value": 100}, 2)],
)
def test_the_circuit_breaker_returns_to_what_worked(cluster, threshold, limit):
    cluster.machine()
    good = cluster.define(cpu=16, memory=16)
    breaker = {"enable": True, "rollback": True}
    if threshold:
        breaker |= {"thresholdConfiguration": threshold, "resetOnHealthyTask": False}
    cluster.create_service(
        "web", good, desiredCount=2, deploymentConfiguration={"deploymentCircuitBreaker": breaker}
    )
    shown = cluster.settle("web")["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert shown["enable"] and shown["rollback"]
    bad = cluster.define(cpu=16, memory=16, family=good.split(":")[0])
    cluster.ecs.update_service(cluster=cluster.name, service="web", taskDefinition=bad)

    def given_up():
        failing = bad.split(":")[1]
        for task in cluster.tasks("web"):
            if task["taskDefinitionArn"].endswith(f":{failing}") and task["lastStatus"] != "RUNNING":
                cluster.says(task["taskArn"], "STOPPED", reason="CannotPullContainerError: no such image")
        return any("rolling back to deployment" in message for message in messages(cluster.service("web")))

    within(30, "the deployment is given up", given_up)
    settled = cluster.settle("web")
    assert settled["taskDefinition"].endswith(good)
    assert any("deployment failed: tasks failed to start." in message for message in messages(settled))
    newest = cluster.ecs.list_service_deployments(cluster=cluster.name, service="web")["serviceDeployments"][0]
    story = cluster.raw("DescribeServiceDeployments", serviceDeploymentArns=[newest["serviceDeploymentArn"]])
    [story] = story["serviceDeployments"]
    assert story["status"] == "ROLLBACK_SUCCESSFUL" and story["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert story["deploymentCircuitBreaker"]["threshold"] == limit
    assert story["rollback"]["serviceRevisionArn"] == story["sourceServiceRevisions"][0]["arn"]


def test_a_deployment_is_stopped_and_rolled_back_on_request(cluster):
    cluster.machine()
    good = cluster.define()
    cluster.create_service("web", good)
    cluster.settle("web")
    bad = cluster.define(family=good.split(":")[0])
    updated = cluster.raw("UpdateService", cluster=cluster.name, service="web", taskDefinition=bad)["service"]
    arn = updated["currentServiceDeployment"]
    assert cluster.raw("StopServiceDeployment", serviceDeploymentArn=arn)["serviceDeploymentArn"] == arn
    assert cluster.settle("web")["taskDefinition"].endswith(good)
    [story] = cluster.raw("DescribeServiceDeployments", serviceDeploymentArns=[arn])["serviceDeployments"]
    assert story["status"] == "ROLLBACK_SUCCESSFUL"
    with pytest.raises(Refused) as again:
        cluster.raw("StopServiceDeployment", serviceDeploymentArn=arn)
    assert again.value.code == "ConflictException"
    with pytest.raises(Refused) as unknown:
        cluster.raw("StopServiceDeployment", serviceDeploymentArn=arn + "x")
    assert unknown.value.code == "ServiceDeploymentNotFoundException"
    with pytest.raises(Refused) as hookless:
        cluster.raw("ContinueServiceDeployment", serviceDeploymentArn=arn, hookId="h")
    assert hookless.value.code == "InvalidParameterException"


def test_aborting_leaves_the_tasks_as_they_are(cluster):
    cluster.machine()
    good = cluster.define()
    cluster.create_service("web", good)
    before = cluster.settle("web")
    [task] = cluster.tasks("web")
    bad = cluster.define(family=good.split(":")[0])
    updated = cluster.raw("UpdateService", cluster=cluster.name, service="web", taskDefinition=bad)["service"]
    arn = updated["currentServiceDeployment"]
    cluster.raw("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ABORT")
    [story] = cluster.raw("DescribeServiceDeployments", serviceDeploymentArns=[arn])["serviceDeployments"]
    assert story["status"] == "STOPPED" and "stoppedAt" in story
    assert task["taskArn"] in [found["taskArn"] for found in cluster.tasks("web")]
    assert cluster.service("web")["deployments"][0]["rolloutState"] == "FAILED" and before["runningCount"] == 1


def test_a_daemon_has_one_task_on_each_instance(cluster):
    definition, ecs = cluster.define(cpu=16, memory=16), cluster.ecs
    a, b = cluster.machine(role="web"), cluster.machine(role="web")
    other = cluster.machine(role="db")
    constraints = [{"type": "memberOf", "expression": "attribute:role == web"}]
    daemon = {"schedulingStrategy": "DAEMON", "desiredCount": None, "placementConstraints": constraints}
    made = cluster.create_service("agent", definition, **daemon)
    assert made["schedulingStrategy"] == "DAEMON"
    bounds = made["deploymentConfiguration"]
    assert (bounds["maximumPercent"], bounds["minimumHealthyPercent"]) == (100, 0)
    on = lambda: {task["containerInstanceArn"] for task in cluster.tasks("agent")}
    within(10, "it is on both", lambda: on() == {a, b})
    assert cluster.settle("agent")["desiredCount"] == 2
    c = cluster.machine(role="web")
    within(10, "it follows", lambda: on() == {a, b, c})
    ecs.update_container_instances_state(cluster=cluster.name, containerInstances=[a], status="DRAINING")
    within(10, "it leaves", lambda: on() == {b, c} and other not in on())
    assert cluster.settle("agent")["desiredCount"] == 2
    assert ecs.list_services(cluster=cluster.name, schedulingStrategy="DAEMON")["serviceArns"] == [made["serviceArn"]]
    code, message = refused(ecs.update_service, cluster=cluster.name, service="agent", desiredCount=3)
    assert code == "InvalidParameterException" and "does not support a desired count" in message
    ecs.delete_service(cluster=cluster.name, service="agent")
    within(10, "it is gone", lambda: cluster.play() or cluster.service("agent")["status"] == "INACTIVE")
    ecs.get_waiter("services_inactive").wait(cluster=cluster.name, services=["agent"])


def test_an_instance_that_drains_gives_its_tasks_to_others(cluster):
    a = cluster.machine()
    cluster.create_service("web", cluster.define(cpu=16, memory=16), desiredCount=2)
    cluster.settle("web")
    b = cluster.machine()
    cluster.ecs.update_container_instances_state(cluster=cluster.name, containerInstances=[a], status="DRAINING")

    def moved():
        cluster.play()
        tasks = cluster.tasks("web")
        healthy = sum(task["lastStatus"] == "RUNNING" for task in tasks)
        assert healthy >= 2, "never fewer than the minimum by our own doing"
        return {task["containerInstanceArn"] for task in tasks} == {b} and len(tasks) == 2

    within(20, "the tasks have moved", moved)
    cluster.ecs.update_container_instances_state(cluster=cluster.name, containerInstances=[b], status="DRAINING")
    says = "was unable to place a task because no container instance met all of its requirements."
    within(10, "it says that there is no instance", lambda: any(says in m for m in messages(cluster.service("web"))))


def test_a_protected_task_outlives_scaling_in(cluster):
    cluster.machine()
    cluster.create_service("web", cluster.define(cpu=16, memory=16), desiredCount=3)
    cluster.settle("web")
    kept = cluster.tasks("web")[2]["taskArn"]
    ecs = cluster.ecs
    answer = ecs.update_task_protection(
        cluster=cluster.name, tasks=[kept, "0" * 32], protectionEnabled=True, expiresInMinutes=10
    )
    [protected] = answer["protectedTasks"]
    assert protected["protectionEnabled"] and protected["taskArn"] == kept and "expirationDate" in protected
    assert answer["failures"][0]["reason"] == "MISSING"
    ecs.update_service(cluster=cluster.name, service="web", desiredCount=0)
    only = lambda: cluster.play() or [task["taskArn"] for task in cluster.tasks("web")] == [kept]
    within(10, "the others are gone", only)
    states = {state["taskArn"]: state for state in ecs.get_task_protection(cluster=cluster.name)["protectedTasks"]}
    assert states[kept]["protectionEnabled"]
    ecs.update_task_protection(cluster=cluster.name, tasks=[kept], protectionEnabled=False)
    within(10, "it is gone too", lambda: cluster.play() or not cluster.tasks("web"))
    [single] = cluster.run(cluster.families[0], launchType="EC2")["tasks"]
    answer = ecs.update_task_protection(cluster=cluster.name, tasks=[single["taskArn"]], protectionEnabled=True)
    assert answer["failures"][0]["reason"] == "TASK_NOT_VALID"


def test_task_sets_are_deployed_by_somebody_else(cluster):
    cluster.machine()
    definition, ecs = cluster.define(cpu=16, memory=16), cluster.ecs
    made = ecs.create_service(
        cluster=cluster.name, serviceName="web", desiredCount=4, deploymentController={"type": "EXTERNAL"}
    )["service"]
    assert made["deployments"] == [] and made["taskSets"] == [] and "taskDefinition" not in made
    of_service = {"cluster": cluster.name, "service": "web"}
    blue = ecs.create_task_set(
        **of_service, taskDefinition=definition, networkConfiguration=cluster.network, launchType="EC2",
        scale={"value": 50, "unit": "PERCENT"}, externalId="blue",
    )["taskSet"]  # fmt: skip
    assert (blue["status"], blue["computedDesiredCount"], blue["stabilityStatus"]) == ("ACTIVE", 2, "STABILIZING")
    describe = lambda: ecs.describe_task_sets(**of_service, taskSets=[blue["id"]])["taskSets"][0]
    steady = lambda: cluster.play() or describe()["stabilityStatus"] == "STEADY_STATE"
    within(15, "it is steady", steady)
    assert describe()["runningCount"] == 2 and {task["startedBy"] for task in cluster.tasks("web")} == {blue["id"]}
    ecs.update_task_set(**of_service, taskSet=blue["taskSetArn"], scale={"value": 75, "unit": "PERCENT"})
    within(15, "it grows", lambda: cluster.play() or describe()["runningCount"] == 3)
    primary = ecs.update_service_primary_task_set(**of_service, primaryTaskSet=blue["id"])["taskSet"]
    assert primary["status"] == "PRIMARY"
    assert refused(ecs.delete_task_set, **of_service, taskSet=blue["id"])[0] == "InvalidParameterException"
    ecs.delete_task_set(**of_service, taskSet=blue["id"], force=True)
    within(15, "it is gone", lambda: cluster.play() or not ecs.describe_task_sets(**of_service)["taskSets"])
    absent = {**of_service, "taskSet": "ecs-svc/0000000000000000000"}
    assert refused(ecs.delete_task_set, **absent)[0] == "TaskSetNotFoundException"
    ecs.update_service(**of_service, desiredCount=0)
    ecs.delete_service(**of_service)


def test_a_service_by_capacity_providers_shows_its_strategy(cluster):
    strategy = [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    cluster.ecs.put_cluster_capacity_providers(
        cluster=cluster.name, capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
    )
    family = cluster.define_fargate()
    given = {"desiredCount": 0, "launchType": None, "capacityProviderStrategy": strategy}
    made = cluster.create_service("web", family, **given)
    assert made["capacityProviderStrategy"] == strategy and "launchType" not in made
    assert made["deployments"][0]["capacityProviderStrategy"] == strategy
    assert cluster.create_service("web", family, **given)["serviceArn"] == made["serviceArn"]


@pytest.mark.parametrize(
    "wrong, code",
    [
        ({"schedulingStrategy": "DAEMON", "desiredCount": 1}, "InvalidParameterException"),
        ({"schedulingStrategy": "OFTEN"}, "InvalidParameterException"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "InvalidParameterException"),
        ({"role": "arn:aws:iam::123456789012:role/x"}, "InvalidParameterException"),
        ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, "InvalidParameterException"),
        ({"deploymentConfiguration": {"minimumHealthyPercent": 101}}, "InvalidParameterException"),
        (
            {"deploymentConfiguration": {"alarms": {"alarmNames": ["a"], "enable": True, "rollback": True}}},
            "InvalidParameterException",
        ),
        (
            {"deploymentConfiguration": {"deploymentCircuitBreaker": {
                "enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 0}}}},
            "InvalidParameterException",
        ),
        ({"placementStrategy": [{"type": "spread", "field": "colour"}]}, "InvalidParameterException"),
        ({"availabilityZoneRebalancing": "SOMETIMES"}, "InvalidParameterException"),
        ({"desiredCount": -1}, "InvalidParameterException"),
    ],
)  # fmt: skip
def test_a_service_that_cannot_be_kept_is_refused_and_not_made(cluster, wrong, code):
    cluster.machine()
    with pytest.raises(Refused) as error:
        cluster.create_service("web", cluster.define(), **wrong)
    assert error.value.code == code
    assert cluster.ecs.list_services(cluster=cluster.name)["serviceArns"] == []
