"""What must hold on a machine with nothing but cgroup v2; runs inside the virtual machine of scripts/test-v2.

Everything goes through the API with boto3, as a user's script would; what is checked is what the kernel and the containers say.
"""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tarfile
import time
import traceback
import urllib.error
import urllib.request

sys.path[:0] = [str(found) for found in pathlib.Path("/venv").glob("lib/python3*/site-packages")]
import boto3  # noqa: E402  (the machine's Python has none of its own)

WHARF = "/wharf/wharf"
LAYOUT = pathlib.Path("/wharf/hello")
UNIFIED = pathlib.Path("/sys/fs/cgroup")
BEGAN = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - BEGAN:5.0f} s] {text}", flush=True)


def wharf(*arguments):
    return subprocess.run([WHARF, *arguments], check=True, capture_output=True, text=True).stdout


def until(what, patience, look):
    """Returns what `look` returns once it is something."""
    end = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.5)


def get(url, patience=30):
    with urllib.request.urlopen(url, timeout=patience) as answer:
        return answer.read().decode()


class World:
    """A started Wharf and its clients."""

    def __init__(self):
        wharf("up", "--detach", "--healthy-after", "2")
        exports = dict(re.findall(r"^export (\w+)=(.*)$", wharf("env"), re.MULTILINE))
        os.environ.update(exports)
        self.endpoint = exports["AWS_ENDPOINT_URL"]
        self.ecs, self.ec2, self.ecr, self.elb, self.logs = (
            boto3.client(name) for name in ("ecs", "ec2", "ecr", "elbv2", "logs")
        )
        self.subnets = [subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"]]
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        self.credentials = f"Basic {token}"
        self.ecs.create_cluster()

    def registry(self, method, path, body=None, kind="application/octet-stream"):
        url = path if path.startswith("http") else self.endpoint + path
        request = urllib.request.Request(url, data=body, method=method)
        request.add_header("Authorization", self.credentials)
        request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers

    def push(self, name, blobs, manifest):
        """Puts an image into the registry and returns its name there."""
        uri = self.ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
        for blob in blobs:
            place = self.registry("POST", f"/v2/{name}/blobs/uploads/", b"")["Location"]
            digest = "sha256:" + hashlib.sha256(blob).hexdigest()
            self.registry("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", blob)
        document = json.loads(manifest)
        self.registry("PUT", f"/v2/{name}/manifests/latest", manifest, document["mediaType"])
        return f"{uri}:latest"

    def push_layout(self, name, layout):
        blob = lambda digest: (layout / "blobs" / digest.replace(":", "/")).read_bytes()  # noqa: E731
        manifest = blob(json.loads((layout / "index.json").read_text())["manifests"][0]["digest"])
        document = json.loads(manifest)
        document.setdefault("mediaType", "application/vnd.oci.image.manifest.v1+json")
        parts = [document["config"], *document["layers"]]
        return self.push(name, [blob(part["digest"]) for part in parts], json.dumps(document).encode())

    def push_busybox(self):
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as tar:
            for folder in ("bin", "tmp", "etc"):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
                tar.addfile(entry)
            tar.add("/bin/busybox", "bin/busybox")
            for applet in ("sh", "cat", "dd", "mknod", "sleep", "wget", "echo", "true"):
                entry = tarfile.TarInfo(f"bin/{applet}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(entry)
        packed = gzip.compress(layer.getvalue(), 1)
        digest = lambda data: "sha256:" + hashlib.sha256(data).hexdigest()  # noqa: E731
        config = json.dumps({
            "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer.getvalue())]},
        }).encode()
        base = "application/vnd.oci.image"
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": f"{base}.manifest.v1+json",
            "config": {"mediaType": f"{base}.config.v1+json", "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": f"{base}.layer.v1.tar+gzip", "digest": digest(packed), "size": len(packed)}],
        }).encode()
        return self.push("busybox", [config, packed], manifest)

    def network(self):
        return {"awsvpcConfiguration": {"subnets": self.subnets}}

    def define(self, family, image, **container):
        self.ecs.register_task_definition(
            family=family, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            executionRoleArn="arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
            containerDefinitions=[{
                "name": "main", "image": image, "essential": True, "stopTimeout": 5,
                "logConfiguration": {"logDriver": "awslogs", "options": {
                    "awslogs-group": "/v2", "awslogs-region": "us-east-1", "awslogs-stream-prefix": family,
                    "awslogs-create-group": "true"}},
                **container,
            }],
        )

    def run(self, family):
        answer = self.ecs.run_task(
            taskDefinition=family, launchType="FARGATE", networkConfiguration=self.network())
        assert not answer["failures"], answer["failures"]
        return answer["tasks"][0]["taskArn"]

    def task(self, arn):
        return self.ecs.describe_tasks(tasks=[arn])["tasks"][0]

    def reached(self, arn, status):
        def look():
            task = self.task(arn)
            return task if task["lastStatus"] == status else None
        return until(f"{arn} {status}", 90, look)

    def said(self, family, arn):
        """Returns what a task wrote, once it has stopped."""
        stream = f"{family}/main/{arn.rsplit('/', 1)[1]}"
        events = self.logs.get_log_events(logGroupName="/v2", logStreamName=stream, startFromHead=True)
        return "\n".join(event["message"] for event in events["events"])

    def told(self, family, image, script, **container):
        """Runs a shell script in a container and returns the stopped task and what it wrote."""
        self.define(family, image, command=["sh", "-c", script], **container)
        arn = self.run(family)
        task = self.reached(arn, "STOPPED")
        return task, self.said(family, arn)


def group_of(arn):
    """Returns the control group of a task."""
    task = arn.rsplit("/", 1)[1]
    return until(f"cgroup of {task}", 10, lambda: next(UNIFIED.glob(f"**/{task}"), None))


def a_service_answers_through_its_load_balancer(world):
    hello = world.push_layout("hello", LAYOUT)
    world.define("hello", hello, portMappings=[{"containerPort": 80}])
    vpc = world.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    balancer = world.elb.create_load_balancer(Name="web", Subnets=world.subnets)["LoadBalancers"][0]
    group = world.elb.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", HealthCheckPath="/healthz",
        HealthCheckIntervalSeconds=5)["TargetGroups"][0]["TargetGroupArn"]
    world.elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=8080,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    world.ecs.create_service(
        serviceName="web", taskDefinition="hello", desiredCount=2, launchType="FARGATE",
        networkConfiguration=world.network(),
        loadBalancers=[{"targetGroupArn": group, "containerName": "main", "containerPort": 80}])

    def stable():
        service = world.ecs.describe_services(services=["web"])["services"][0]
        health = world.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        healthy = [target for target in health if target["TargetHealth"]["State"] == "healthy"]
        return service["runningCount"] == 2 and len(healthy) == 2
    until("service stable", 120, stable)
    tasks = {re.search(r"[0-9a-f]{32}", get("http://127.0.0.1:8080/"))[0] for _ in range(8)}
    assert len(tasks) == 2, tasks


def limits_of_a_task_are_in_the_unified_tree(world):
    world.define("spin", world.busybox, command=["sh", "-c", "while true; do :; done"], memory=64)
    arn = world.run("spin")
    world.reached(arn, "RUNNING")
    group = group_of(arn)
    read = lambda name: (group / name).read_text().strip()  # noqa: E731
    assert read("memory.max") == str(512 << 20), read("memory.max")
    assert read("pids.max") == "4096", read("pids.max")
    quota, period = (int(part) for part in read("cpu.max").split())
    assert quota / period == 0.25, (quota, period)
    leaf = next(path for path in group.iterdir() if path.is_dir())
    assert (leaf / "memory.max").read_text().strip() == str(64 << 20)
    assert (leaf / "memory.swap.max").read_text().strip() == "0"
    used = lambda: int(re.search(r"usage_usec (\d+)", read("cpu.stat"))[1])  # noqa: E731
    before, began = used(), time.monotonic()
    time.sleep(8)
    share = (used() - before) / 1e6 / (time.monotonic() - began)
    assert 0.10 < share < 0.30, f"an endless loop had {share:.2f} of a processor, its limit is 0.25"
    world.ecs.stop_task(task=arn)
    world.reached(arn, "STOPPED")


def too_much_memory_is_reported_as_ecs_does(world):
    task, _ = world.told("hog", world.busybox, "exec dd if=/dev/zero of=/dev/shm/fill bs=1M count=60", memory=24)
    container = task["containers"][0]
    assert container["exitCode"] == 137, container
    assert container["reason"].startswith("OutOfMemoryError"), container


def devices_of_the_machine_are_out_of_reach(world):
    major, minor = (UNIFIED.parent.parent / "block/vda/dev").read_text().strip().split(":")
    script = (
        f"mknod /tmp/disk b {major} {minor} && echo made; dd if=/tmp/disk of=/dev/null bs=512 count=1 && echo read; "
        "dd if=/dev/zero of=/dev/null bs=1 count=1 && echo zero"
    )
    _, said = world.told("devices", world.busybox, script)
    assert "read" not in said.split() and "zero" in said.split(), said


def metadata_is_served(world):
    script = "wget -q -O - $ECS_CONTAINER_METADATA_URI_V4/task"
    task, said = world.told("metadata", world.busybox, script)
    assert json.loads(said)["TaskARN"] == task["taskArn"], said


def each_process_dies_and_no_task_does(world):
    def pids():
        found = subprocess.run(["pgrep", "-x", "hello"], capture_output=True, text=True).stdout.split()
        return sorted(found)
    before = pids()
    assert len(before) == 2, before
    for process in ("control", "agent", "balancer", "keeper"):
        pid = int(pathlib.Path(f"/run/wharf/{process}.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

        def back():
            with contextlib.suppress(Exception):
                new = int(pathlib.Path(f"/run/wharf/{process}.pid").read_text().split()[0])
                return new != pid and get("http://127.0.0.1:8080/healthz", 5) is not None
        until(f"{process} back", 60, back)
        assert pids() == before, f"{process}: {before} became {pids()}"
        service = until("the API", 30, lambda: world.ecs.describe_services(services=["web"])["services"][0])
        until("two tasks", 30, lambda: service["runningCount"] == 2)


def main():
    assert (UNIFIED / "cgroup.controllers").exists(), "not a unified tree"
    census = subprocess.run(["/checkout/tests/census"], capture_output=True, text=True).stdout
    pathlib.Path("/tmp/census").write_text(census)
    checks = [
        a_service_answers_through_its_load_balancer,
        limits_of_a_task_are_in_the_unified_tree,
        too_much_memory_is_reported_as_ecs_does,
        devices_of_the_machine_are_out_of_reach,
        metadata_is_served,
        each_process_dies_and_no_task_does,
    ]
    failed = []
    try:
        world = World()
        say("Wharf is up")
        world.busybox = world.push_busybox()
        for check in checks:
            name = check.__name__.replace("_", " ")
            try:
                check(world)
                say(f"ok: {name}")
            except Exception:
                traceback.print_exc()
                say(f"FAILED: {name}")
                failed.append(name)
    finally:
        print(wharf("down", "--all"))
    left = subprocess.run(["/checkout/tests/census", "--since", "/tmp/census"])
    if left.returncode:
        failed.append("nothing is left behind")
    else:
        say("ok: nothing is left behind")
    if failed:
        log = pathlib.Path("/var/lib/wharf/wharf.log")
        print(log.read_text()[-4000:] if log.exists() else "")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
