"""control, over simulated nodes: what it decides and keeps in a second, and how soon it acts."""

import http.client
import json
import threading
import time
from pathlib import Path

from .results import Results, times
from .wharf import Wharf, memory_mb

NODES = 500
START_MS = 100
FAMILY = "bench-simulated"
SCALED = 5_000
ROLLED = 1_000
# With 100 % and 110 %, a tenth of the tasks is under way at a time.
ROLLED_PERCENT = {"minimumHealthyPercent": 100, "maximumPercent": 110}
ROLLED_BOUND_MS = 10 * START_MS
PLACING_SECONDS = 5
CALLERS = 16
SERVICES, EACH = 1_000, 100
STOPS = 300
HEAD = {"Content-Type": "application/x-amz-json-1.1"}
TARGET = "AmazonEC2ContainerServiceV20141113."


def measure(results: Results, binary: str, place: Path) -> None:
    """Runs a control plane of its own with simulated nodes, once for each part."""
    for name, part in (("scale", scaling), ("roll", rolling), ("place", placing), ("wake", waking)):
        own = place / name
        own.mkdir()
        more = [
            f"--simulated-nodes={NODES}", f"--simulated-start={START_MS}ms", "--healthy-after=0",
            "--simulated-cpu=1048576", "--simulated-memory=1048576",
        ]  # fmt: skip
        with Wharf(Path(binary), own, *more) as wharf:
            define(wharf)
            wharf.wait(lambda: instances(wharf) == NODES, "have its simulated nodes", 60)
            part(results, wharf)


def define(wharf: Wharf) -> None:
    """Registers a task without an interface: the default network has fewer addresses than there are tasks."""
    wharf.ecs.create_cluster(clusterName="default")
    container = {"name": "app", "image": "simulated", "essential": True, "memory": 64, "cpu": 32}
    wharf.ecs.register_task_definition(
        family=FAMILY, networkMode="host", requiresCompatibilities=["EC2"], containerDefinitions=[container]
    )


def instances(wharf: Wharf) -> int:
    cluster = wharf.ecs.describe_clusters(clusters=["default"])["clusters"]
    return cluster[0]["registeredContainerInstancesCount"] if cluster else 0


def create(wharf: Wharf, name: str, count: int, **more) -> None:
    wharf.ecs.create_service(
        serviceName=name, taskDefinition=FAMILY, desiredCount=count, launchType="EC2", **more
    )


def service(wharf: Wharf, name: str) -> dict:
    return wharf.ecs.describe_services(services=[name])["services"][0]


def timed(wharf: Wharf, begin, ready, what: str) -> float:
    """Returns how many milliseconds pass from a call until something is true."""
    began = time.monotonic()
    begin()
    wharf.wait(ready, what, 300, 0.02)
    return (time.monotonic() - began) * 1000


def scaling(results: Results, wharf: Wharf) -> None:
    """One service from nothing to very many tasks."""
    create(wharf, "many", 0)
    took = timed(
        wharf,
        lambda: wharf.ecs.update_service(service="many", desiredCount=SCALED),
        lambda: service(wharf, "many")["runningCount"] == SCALED,
        f"run {SCALED} tasks",
    )
    results.rows.append(times("wharf control", f"scale 0 to {SCALED} simulated tasks", [took]))


def rolling(results: Results, wharf: Wharf) -> None:
    """A deployment that replaces every task."""
    create(wharf, "rolled", ROLLED, deploymentConfiguration=ROLLED_PERCENT)
    wharf.wait(lambda: is_settled(service(wharf, "rolled")), "settle", 120)
    took = []
    for _ in range(3):
        took.append(
            timed(
                wharf,
                lambda: wharf.ecs.update_service(service="rolled", forceNewDeployment=True),
                lambda: is_settled(service(wharf, "rolled")),
                "roll",
            )
        )
    row = times("wharf control", f"roll {ROLLED} simulated tasks that start in {START_MS} ms", took)
    results.rows.append(row)
    results.ratio("rolling deployment beside its lower bound", row["p50_ms"], ROLLED_BOUND_MS)


def is_settled(found: dict) -> bool:
    deployments = found["deployments"]
    return len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"


def placing(results: Results, wharf: Wharf) -> None:
    """RunTask from many callers at once; each answer comes after its tasks are on disk."""
    end = time.monotonic() + PLACING_SECONDS
    counts = [0] * CALLERS
    ask = json.dumps({"taskDefinition": FAMILY, "count": 10, "launchType": "EC2"})

    def call(caller: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", wharf.port, timeout=30)
        while time.monotonic() < end:
            connection.request("POST", "/", ask, {**HEAD, "X-Amz-Target": TARGET + "RunTask"})
            answer = json.loads(connection.getresponse().read())
            counts[caller] += len(answer["tasks"])
        connection.close()

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    results.rows.append({
        "who": "wharf control", "what": f"durable placements through RunTask, {CALLERS} callers, {NODES} nodes",
        "n": sum(counts), "per_second": round(sum(counts) / PLACING_SECONDS),
    })  # fmt: skip


def waking(results: Results, wharf: Wharf) -> None:
    """What a stopped task's service starts in its place, by the tasks' own times, among very many tasks."""
    names = [f"wake-{number}" for number in range(SERVICES)]
    for name in names:
        create(wharf, name, EACH)
    wharf.wait(lambda: is_steady(wharf, names[-1]), "start them", 600, 1)
    wharf.wait(lambda: all(is_steady(wharf, name) for name in names[::97]), "start them all", 600, 1)
    time.sleep(5)
    stopped = []
    for number in range(STOPS):
        name = names[number * 331 % SERVICES]
        arn = wharf.ecs.list_tasks(serviceName=name)["taskArns"][0]
        wharf.ecs.stop_task(task=arn)
        stopped.append((name, arn))
        time.sleep(0.03)
    time.sleep(2)
    late = []
    for name, arn in stopped:
        (gone,) = wharf.ecs.describe_tasks(tasks=[arn])["tasks"]
        arns = wharf.ecs.list_tasks(serviceName=name, maxResults=100)["taskArns"]
        after = [task["createdAt"] for task in wharf.ecs.describe_tasks(tasks=arns)["tasks"]]
        began = gone["stoppingAt"]
        late += [(min(made for made in after if made >= began) - began).total_seconds() * 1000]
    results.rows.append(times("wharf control", f"stop to its replacement among {SERVICES * EACH} tasks", late))
    pid = int((wharf.run_dir / "control.pid").read_text().split()[0])
    results.rows.append({
        "who": "wharf control", "what": f"{SERVICES * EACH} simulated tasks on {NODES} nodes, memory", "n": 1,
        **memory_mb(pid),
    })  # fmt: skip


def is_steady(wharf: Wharf, name: str) -> bool:
    return service(wharf, name)["runningCount"] == EACH
