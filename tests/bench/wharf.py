"""A Wharf of the benchmark's own: its binary, directories, port and addresses, asked through boto3."""

import datetime
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "123456789012"
REGION = "us-east-1"
PROCESSES = ("control", "agent", "balancer", "keeper")


@dataclass
class Clocked:
    """A task that wrote its clock; times in nanoseconds since 1970."""

    sent: int
    answered: int
    wrote: int
    described: dict[str, float]


class Wharf:
    """Starts on entry and leaves nothing on exit."""

    def __init__(self, binary: Path, work: Path, *more: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.binary = str(binary)
        self.run_dir = work / "wharf" / "run"
        self.log = work / "wharf.log"
        self.options = [
            "--state-dir", str(work / "wharf" / "state"), "--run-dir", str(self.run_dir),
            "--endpoint", f"127.0.0.1:{self.port}", "--auth", "off", "--no-hosts-file",
            "--vpc-cidr", "10.214.0.0/16", "--public-cidr", "198.19.128.0/17", *more,
        ]  # fmt: skip

    def __enter__(self) -> "Wharf":
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([self.binary, "up", *self.options], stdout=log, stderr=log)
        try:
            self.wait(lambda: self.command("status", "--quiet").returncode == 0, "become ready", 60)
            self.request_sent = self.request_answered = 0
            self.ecs = self.client("ecs")
            self.ecs.meta.events.register("before-send.ecs.RunTask", self.note_sent)
            self.ecs.meta.events.register("after-call.ecs.RunTask", self.note_answered)
            self.logs = self.client("logs")
            subnets = self.client("ec2").describe_subnets()["Subnets"]
            self.subnets = [subnet["SubnetId"] for subnet in subnets]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        down = self.command("down", "--all")
        if down.returncode != 0:
            raise RuntimeError(f"wharf down --all: {down.returncode}\n{down.stderr}")

    def command(self, name: str, *more: str) -> subprocess.CompletedProcess:
        """Runs a subcommand of this Wharf."""
        return subprocess.run([self.binary, name, *self.options, *more], capture_output=True, text=True)

    def client(self, service: str):
        """Returns a boto3 client of this Wharf; any signature does."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service, region_name=REGION, endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="bench", aws_secret_access_key="bench",
            config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip

    def note_sent(self, **_) -> None:
        """Remembers when the request left; called by botocore as the last thing before it does."""
        self.request_sent = time.time_ns()

    def note_answered(self, **_) -> None:
        """Remembers when the answer was there."""
        self.request_answered = time.time_ns()

    def wait(self, ready, what: str, seconds: float = 30, pause: float = 0.05):
        """Waits for something true and returns it."""
        end = time.monotonic() + seconds
        while True:
            found = ready()
            if found:
                return found
            if self.process.poll() is not None or time.monotonic() > end:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"wharf did not {what} within {seconds:.0f} s; its log ends with:\n{tail}")
            time.sleep(pause)

    def push(self, layout: Path, name: str) -> None:
        """Puts an OCI layout into a repository."""
        ecr = self.client("ecr")
        try:
            ecr.create_repository(repositoryName=name)
        except ecr.exceptions.RepositoryAlreadyExistsException:
            return
        image = f"docker://127.0.0.1:{self.port}/{name}:latest"
        login = "AWS:" + self.password(ecr)
        copy = ["skopeo", "copy", "-q", "--dest-tls-verify=false", "--dest-creds", login, f"oci:{layout}:latest", image]
        subprocess.run(copy, check=True, capture_output=True)

    @staticmethod
    def password(ecr) -> str:
        """Returns what `aws ecr get-login-password` prints."""
        import base64

        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return base64.b64decode(token).decode().split(":", 1)[1]

    def register(self, family: str, name: str, command: list[str]) -> str:
        """Registers a task definition of one container on a pushed image, and returns its ARN."""
        container = {
            "name": name, "essential": True, "command": command,
            "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}:latest",
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/bench", "awslogs-region": REGION, "awslogs-stream-prefix": "bench",
                    "awslogs-create-group": "true",
                },
            },
        }  # fmt: skip
        made = self.ecs.register_task_definition(
            family=family, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole", containerDefinitions=[container],
        )  # fmt: skip
        return made["taskDefinition"]["taskDefinitionArn"]

    def run_tasks(self, definition: str, count: int) -> list[str]:
        """Asks for tasks and returns their ARNs; any refusal is an error."""
        answer = self.ecs.run_task(
            taskDefinition=definition, count=count, launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": self.subnets}},
        )  # fmt: skip
        if answer["failures"]:
            raise RuntimeError(f"RunTask: {answer['failures']}")
        return [task["taskArn"] for task in answer["tasks"]]

    def tasks_in(self, arns: list[str], status: str) -> list[dict]:
        """Returns the tasks' descriptions once all have that status, and nothing before."""
        tasks = self.ecs.describe_tasks(tasks=arns)["tasks"]
        return tasks if tasks and all(task["lastStatus"] == status for task in tasks) else []

    def clock_task(self, definition: str) -> Clocked:
        """Runs a task whose first write is its clock, and returns when what happened."""
        (arn,) = self.run_tasks(definition, 1)
        sent, answered = self.request_sent, self.request_answered
        # Asking at once would take the processor from what is measured.
        time.sleep(0.15)
        (task,) = self.wait(lambda: self.tasks_in([arn], "STOPPED"), "stop a task that ended", 60)
        stream = f"bench/{task['containers'][0]['name']}/{arn.rsplit('/', 1)[1]}"
        wrote = self.wait(lambda: self.first_line(stream), "deliver a task's log")
        moments = {key: value.timestamp() for key, value in task.items() if isinstance(value, datetime.datetime)}
        return Clocked(sent, answered, int(wrote), moments)

    def first_line(self, stream: str) -> str | None:
        """Returns a log stream's first line, once there is one."""
        try:
            events = self.logs.get_log_events(logGroupName="/bench", logStreamName=stream, startFromHead=True)
        except self.logs.exceptions.ResourceNotFoundException:
            return None
        return events["events"][0]["message"] if events["events"] else None

    def processes(self) -> dict[str, int]:
        """Returns the process id of each of the four processes."""
        return {name: int((self.run_dir / f"{name}.pid").read_text().split()[0]) for name in PROCESSES}


def memory_mb(pid: int) -> dict[str, float]:
    """Returns a process's memory: all that is mapped (RSS), and with shared pages counted by their share (PSS)."""
    lines = (line.split() for line in open(f"/proc/{pid}/smaps_rollup"))
    held = {f"{line[0][:-1].lower()}_mb": round(int(line[1]) / 1024, 2) for line in lines if line[0] in ("Pss:", "Rss:")}
    if len(held) != 2:
        raise RuntimeError(f"process {pid} does not tell its memory")
    return held


def cpu_seconds(pids: list[int]) -> float:
    """Returns the processor time of processes and of everything they have started so far."""
    return sum(cpu_of_tree(pid) for pid in pids)


def cpu_of_tree(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        # utime, stime, and those of children that were waited for.
        ticks = sum(int(field) for field in fields[11:15])
        threads = os.listdir(f"/proc/{pid}/task")
        children = {child for at in threads for child in Path(f"/proc/{pid}/task/{at}/children").read_text().split()}
    except FileNotFoundError:
        return 0.0
    return ticks / os.sysconf("SC_CLK_TCK") + sum(cpu_of_tree(int(child)) for child in children)
