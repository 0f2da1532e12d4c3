"""network: slots made ahead, how soon a changed security group holds, and what lies between two tasks.

Slots are counted by the files that hold their namespaces. A change is timed from the moment its request leaves to the
first connection that it lets through, with so many tasks running and so many rules in force. Throughput and latency
are those of the same two programs, once between two tasks and once between two namespaces at the ends of a bare veth
pair, in turns.
"""

import subprocess
import sys
import textwrap
import time
from pathlib import Path

from .results import Results, median, times
from .wharf import Wharf

SLOTS = 500
TASKS = 500
BATCH = 10  # as many as one RunTask may ask for
GROUPS = 10
RULES = 1000
TURNS = 5
SECONDS = 2

SERVER = """
    import socket, sys
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((sys.argv[1], int(sys.argv[2]))); s.listen(); print('ready', flush=True)
    while True:
        c, _ = s.accept(); c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        kind, buffer = c.recv(1), bytearray(1 << 20)
        while (n := c.recv_into(buffer)):
            if kind == b'e': c.sendall(memoryview(buffer)[:n])
"""
CLIENT = """
    import socket, sys, time
    c = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data, sent, start = bytes(1 << 20), 0, time.monotonic()
    c.sendall(b's')
    while time.monotonic() - start < float(sys.argv[3]): c.sendall(data); sent += len(data)
    print(sent * 8 / (time.monotonic() - start) / 1e9)
    c.close(); c = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); c.sendall(b'e')
    laps = []
    for _ in range(5000):
        start = time.perf_counter(); c.sendall(b'x'); c.recv(1); laps.append(time.perf_counter() - start)
    print(sorted(laps)[len(laps) // 2] * 1e6)
"""


def measure(results: Results, work: Path, binary: Path, bundles: Path) -> None:
    """Measures slots with a Wharf of their own, and the rest with another."""
    slots(results, work / "slots", binary)
    with Wharf(binary, work / "tasks") as wharf:
        wharf.push(bundles / "hello", "hello")
        definition = wharf.register("bench-serve", "hello", ["serve"])
        ec2 = wharf.client("ec2")
        web, client = (group(ec2, name) for name in ("web", "client"))
        served, asking = (run(wharf, definition, 1, [one])[0] for one in (web, client))
        throughput(results, namespace(wharf, served), namespace(wharf, asking), served, ec2, web, client)
        change(results, wharf, ec2, definition, web, client, served, namespace(wharf, asking))


def slots(results: Results, work: Path, binary: Path) -> None:
    """Times a Wharf that makes its slots as it starts."""
    wharf = Wharf(binary, work)
    wharf.options += ["--ready-slots", str(SLOTS)]
    with wharf:
        made = wharf.run_dir / "netns"
        wharf.wait(lambda: made.exists() and len(list(made.iterdir())) >= SLOTS, f"make {SLOTS} slots", 60, 0.02)
        # The last one counts when it is whole, which is before the next would be begun.
        when = sorted(path.lstat().st_ctime_ns for path in made.iterdir())
        results.rows.append({"who": "wharf", "what": f"{SLOTS} slots", "n": 1, "seconds": round((when[-1] - when[0]) / 1e9, 3)})


def group(ec2, name: str) -> str:
    """Makes a security group."""
    return ec2.create_security_group(GroupName=name, Description="bench")["GroupId"]


def run(wharf: Wharf, definition: str, count: int, groups: list[str]) -> list[str]:
    """Runs tasks of some groups and returns their addresses."""
    network = {"awsvpcConfiguration": {"subnets": wharf.subnets, "securityGroups": groups}}
    answer = wharf.ecs.run_task(taskDefinition=definition, count=count, launchType="FARGATE", networkConfiguration=network)
    if answer["failures"]:
        raise RuntimeError(f"RunTask: {answer['failures']}")
    arns = [task["taskArn"] for task in answer["tasks"]]
    tasks = wharf.wait(lambda: wharf.tasks_in(arns, "RUNNING"), f"run {count} tasks", 180, 0.1)
    return [task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in tasks]


def namespace(wharf: Wharf, address: str) -> list[str]:
    """Returns what runs a program in the namespace that has an address."""
    for path in (wharf.run_dir / "netns").iterdir():
        enter = ["nsenter", f"--net={path}"]
        shown = subprocess.run([*enter, "ip", "-o", "-4", "addr", "show", "dev", "eth0"], capture_output=True, text=True)
        if f"inet {address}/32" in shown.stdout:
            return enter
    raise RuntimeError(f"no namespace has {address}")


def permission(port: int, other: str) -> list[dict]:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": other}]}]


def change(results: Results, wharf: Wharf, ec2, definition, web, client, served, enter) -> None:
    """Times rules that come, with many tasks and rules there already."""
    groups = [group(ec2, f"many-{place}") for place in range(GROUPS)]
    for one in groups:
        blocks = [{"CidrIp": f"10.{place // 250}.{place % 250}.0/24"} for place in range(RULES // GROUPS)]
        rule = {"IpProtocol": "tcp", "FromPort": 1000, "ToPort": 2000, "IpRanges": blocks}
        ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[rule])
    for batch in range(TASKS // BATCH):
        run(wharf, definition, BATCH, [groups[batch % GROUPS]])
    # Connects again and again and says when it first came through.
    probe = """
        import socket, sys, time
        print('ready', flush=True)
        while True:
            s = socket.socket(); s.settimeout(0.005)
            try: s.connect((sys.argv[1], 80)); print(time.time_ns(), flush=True); break
            except OSError: s.close()
    """
    comes, answered = [], []
    for _ in range(TURNS):
        command = [*enter, sys.executable, "-c", textwrap.dedent(probe), served]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdout and asking.stdout.readline() == "ready\n"
            time.sleep(0.3)
            sent = time.time_ns()
            ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=permission(80, client))
            done = time.time_ns()
            through = int(asking.stdout.readline())
        comes.append((through - sent) / 1e6)
        answered.append(max(0.0, (through - done) / 1e6))
        ec2.revoke_security_group_ingress(GroupId=web, IpPermissions=permission(80, client))
        time.sleep(0.5)
    what = f"rule holds ({TASKS} tasks, {RULES} rules)"
    results.rows.append(times("wharf", f"{what}, from the request", comes))
    results.rows.append(times("wharf", f"{what}, from the answer", answered))


def throughput(results: Results, serving, asking, served, ec2, web, client) -> None:
    """Measures between two tasks and between the ends of a bare veth pair, in turns."""
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=permission(5001, client))
    names = ("wb-a", "wb-b")
    lines = [f"netns add {name}" for name in names]
    lines += ["link add eth0 netns wb-a type veth peer name eth0 netns wb-b"]
    for name, address in zip(names, ("198.51.100.1", "198.51.100.2")):
        lines += [f"-n {name} addr add {address}/30 dev eth0", f"-n {name} link set eth0 up"]
    found: dict[str, list[tuple[float, float]]] = {"wharf": [], "bare veth": []}
    try:
        for line in lines:
            subprocess.run(["ip", *line.split()], check=True)
        bare = [["ip", "netns", "exec", name] for name in names]
        ends = {"wharf": (serving, asking, served), "bare veth": (bare[1], bare[0], "198.51.100.2")}
        servers = []
        for at, _, address in ends.values():
            command = [*at, sys.executable, "-c", textwrap.dedent(SERVER), address, "5001"]
            servers.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            assert servers[-1].stdout and servers[-1].stdout.readline() == "ready\n"
        time.sleep(0.3)
        for _ in range(TURNS):
            for who, (_, at, address) in ends.items():
                command = [*at, sys.executable, "-c", textwrap.dedent(CLIENT), address, "5001", str(SECONDS)]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                found[who].append((float(said[0]), float(said[1])))
        for server in servers:
            server.kill()
            server.wait()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
    for who, samples in found.items():
        gbits, micros = median([one[0] for one in samples]), median([one[1] for one in samples])
        results.rows.append({"who": who, "what": "one stream", "n": TURNS, "gbit_s": gbits, "round_trip_us": micros})
    result = lambda who, key: results.find(who, "one stream", key)  # noqa: E731
    results.ratio("throughput: wharf / bare veth", result("wharf", "gbit_s"), result("bare veth", "gbit_s"))
    results.ratio("round trip: bare veth / wharf", result("bare veth", "round_trip_us"), result("wharf", "round_trip_us"))
    ec2.revoke_security_group_ingress(GroupId=web, IpPermissions=permission(5001, client))
