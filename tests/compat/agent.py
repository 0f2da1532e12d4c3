"""A cluster whose container instances are played by the tests: they register them, and say what becomes of their tasks.

What the installed botocore does not know yet is asked by `raw`, signed like any other request.
"""

import json
import time
import urllib.error
import urllib.request
import uuid

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def raw(endpoint: str, operation: str, **members) -> dict:
    """Asks ECS for an operation, whatever botocore knows of it."""
    session = boto3.Session()
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}",
    }
    request = AWSRequest("POST", f"{endpoint}/", data=json.dumps(members).encode(), headers=headers)
    SigV4Auth(session.get_credentials(), "ecs", session.region_name or "us-east-1").add_auth(request)
    prepared = request.prepare()
    sent = urllib.request.Request(prepared.url, prepared.body, dict(prepared.headers), method="POST")
    try:
        with urllib.request.urlopen(sent) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        body = json.load(error)
        raise Refused(body["__type"].rsplit("#", 1)[-1], body.get("message", "")) from None


def within(seconds: float, what: str, ask):
    """Asks again and again until the answer is truthy."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return answer


class Cluster:
    """A cluster without the machine that Wharf itself runs on."""

    def __init__(self, ecs, ec2, endpoint: str):
        self.ecs, self.endpoint = ecs, endpoint
        self.name = f"compat-{uuid.uuid4().hex[:8]}"
        ecs.create_cluster(clusterName=self.name)
        for arn in ecs.list_container_instances(cluster=self.name)["containerInstanceArns"]:
            ecs.deregister_container_instance(cluster=self.name, containerInstance=arn)
        subnets = ec2.describe_subnets()["Subnets"]
        self.subnets = [subnet["SubnetId"] for subnet in subnets]
        self.network = {"awsvpcConfiguration": {"subnets": self.subnets}}
        self.families = []

    def raw(self, operation: str, **members) -> dict:
        return raw(self.endpoint, operation, **members)

    def machine(self, cpu: int = 2048, memory: int = 4096, **attributes) -> str:
        """Registers a container instance; returns its ARN."""
        number = lambda name, value: {"name": name, "type": "INTEGER", "integerValue": value}
        registered = self.ecs.register_container_instance(
            cluster=self.name,
            totalResources=[number("CPU", cpu), number("MEMORY", memory)],
            versionInfo={"agentVersion": "1.100.2", "agentHash": "abc", "dockerVersion": "none"},
            attributes=[{"name": name, "value": value} for name, value in attributes.items()],
        )
        return registered["containerInstance"]["containerInstanceArn"]

    def define(self, cpu: int = 256, memory: int = 512, **more) -> str:
        """Registers a definition; returns `family:revision`."""
        family = more.pop("family", f"{self.name}-{len(self.families)}")
        container = {"name": "app", "image": "hello", "cpu": cpu, "memory": memory, "essential": True}
        definition = self.ecs.register_task_definition(
            family=family, networkMode="awsvpc", containerDefinitions=[container], **more
        )["taskDefinition"]
        name = f"{definition['family']}:{definition['revision']}"
        self.families.append(name)
        return name

    def define_fargate(self) -> str:
        """Registers a definition that fits Fargate; returns `family:revision`."""
        family = f"{self.name}-fargate"
        definition = self.ecs.register_task_definition(
            family=family, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            containerDefinitions=[{"name": "app", "image": "hello"}],
        )["taskDefinition"]  # fmt: skip
        self.families.append(f"{family}:{definition['revision']}")
        return self.families[-1]

    def run(self, definition: str, **more) -> dict:
        return self.ecs.run_task(
            cluster=self.name, taskDefinition=definition, networkConfiguration=self.network, **more
        )

    def tasks(self, service: str | None = None, status: str = "RUNNING") -> list[dict]:
        more = {"serviceName": service} if service else {}
        arns = self.ecs.list_tasks(cluster=self.name, desiredStatus=status, **more)["taskArns"]
        return self.ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"] if arns else []

    def says(self, task: str, status: str, **more) -> None:
        """Says, as an agent, where a task stands."""
        self.raw("SubmitTaskStateChange", cluster=self.name, task=task, status=status, **more)

    def play(self, broken: bool = False) -> None:
        """Does what the tasks' agents would do: start what should run, stop what should not."""
        for status in ("RUNNING", "STOPPED"):
            for task in self.tasks(status=status):
                if task["lastStatus"] == "STOPPED":
                    continue
                if status == "RUNNING" and task["lastStatus"] != "RUNNING":
                    failure = {"reason": "CannotPullContainerError: no such image"}
                    self.says(task["taskArn"], "STOPPED" if broken else "RUNNING", **(failure if broken else {}))
                elif status == "STOPPED":
                    self.says(task["taskArn"], "STOPPED")

    def service(self, name: str) -> dict:
        return self.ecs.describe_services(cluster=self.name, services=[name])["services"][0]

    def create_service(self, name: str, definition: str, **more) -> dict:
        given = {"desiredCount": 1, "networkConfiguration": self.network, "launchType": "EC2", **more}
        given = {member: value for member, value in given.items() if value is not None}
        return self.raw("CreateService", cluster=self.name, serviceName=name, taskDefinition=definition, **given)[
            "service"
        ]

    def settle(self, name: str, seconds: float = 20) -> dict:
        """Plays until the service is stable and its deployment done."""

        def stable():
            self.play()
            service = self.service(name)
            deployments = service["deployments"]
            done = len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"
            return service if done and service["runningCount"] == service["desiredCount"] else None

        return within(seconds, f"{name} is stable", stable)

    def remove(self) -> None:
        for arn in self.ecs.list_services(cluster=self.name)["serviceArns"]:
            # One that a test has deleted may still be draining.
            if self.service(arn)["status"] == "ACTIVE":
                self.ecs.delete_service(cluster=self.name, service=arn, force=True)

        def empty():
            self.play()
            for task in self.tasks():
                self.ecs.stop_task(cluster=self.name, task=task["taskArn"])
            waiting = [task for task in self.tasks(status="STOPPED") if task["lastStatus"] != "STOPPED"]
            return not waiting and not self.tasks() and not self.ecs.list_services(cluster=self.name)["serviceArns"]

        within(20, "the cluster is empty", empty)
        for arn in self.ecs.list_container_instances(cluster=self.name)["containerInstanceArns"]:
            self.ecs.deregister_container_instance(cluster=self.name, containerInstance=arn, force=True)
        self.ecs.delete_cluster(cluster=self.name)
        for name in self.families:
            self.ecs.deregister_task_definition(taskDefinition=name)
