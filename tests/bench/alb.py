"""alb: requests per second, and processor time per request, through each proxy to the same four targets.

The proxy has one processor; targets and the load generator (wrk) have the other. Rounds are interleaved
and medians given. Processor time is the proxy's own, from /proc: the figure to trust.
"""

import os
import re
import subprocess
from pathlib import Path

from .proxies import OTHERS_CPU, Lab, free_port, pinned
from .results import Results, median
from .wharf import Wharf, cpu_seconds

SHAPES = {
    "h1 keep-alive, small": ("/", []),
    "one connection per request": ("/", ["-H", "Connection: close"]),
    "100 KiB body": ("/large", []),
}
REFUSED = ["TLS h1", "TLS h2, 16 x 16 streams"]
CONNECTIONS = "32"


def measure(results: Results, work: Path, wharf: Wharf | None, rounds: int, seconds: int) -> None:
    """Measures every shape through everybody, in turns, and adds the rows."""
    with Lab(work) as lab:
        proxies = {"nginx": lab.nginx(), "haproxy": lab.haproxy()}
        if wharf:
            proxies["wharf"] = (balance(wharf, lab.addresses), [wharf.processes()["balancer"]])
        addresses = {who: f"127.0.0.1:{port}" for who, (port, _) in proxies.items()}
        addresses["direct"] = f"{lab.addresses[0]}:80"
        seen: dict[tuple[str, str], list[tuple[float, float | None]]] = {}
        for round_ in range(rounds):
            for what, (path, options) in SHAPES.items():
                for who, address in addresses.items():
                    pids = proxies[who][1] if who in proxies else []
                    one = load(f"http://{address}{path}", options, seconds, pids)
                    seen.setdefault((who, what), []).append(one)
                    print(f"round {round_ + 1} of {rounds}: {what}, {who}: {one[0]:.0f} requests/s", flush=True)
    for (who, what), samples in sorted(seen.items(), key=lambda item: list(SHAPES).index(item[0][1])):
        row = {"who": who, "what": what, "n": len(samples), "requests_per_s": median([rate for rate, _ in samples])}
        costs = [cost for _, cost in samples if cost is not None]
        if costs:
            row["cpu_us_per_request"] = median(costs)
        results.rows.append(row)
    for what in SHAPES:
        cost = lambda who: results.find(who, what, "cpu_us_per_request")
        better = min(filter(None, (cost("nginx"), cost("haproxy"))))
        results.ratio(f"{what}: better of nginx and haproxy / wharf (cpu)", better, cost("wharf"))
        results.ratio(f"{what}: nginx / haproxy (cpu)", cost("nginx"), cost("haproxy"))
    results.notes.append("direct: the first target without a proxy")
    for what in REFUSED:
        results.notes.append(f"{what}: not measured, because listeners refuse TLS for now")


def load(url: str, options: list[str], seconds: int, pids: list[int]) -> tuple[float, float | None]:
    """Loads an address and returns requests per second and the processes' microseconds per request."""
    subprocess.run(["wrk", "-t1", "-c", CONNECTIONS, "-d", "1s", *options, url], capture_output=True, check=True)
    before = cpu_seconds(pids)
    command = [*pinned(OTHERS_CPU), "wrk", "-t1", "-c", CONNECTIONS, "-d", f"{seconds}s", *options, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pids) - before
    count, took = re.search(r"(\d+) requests in ([\d.]+)s", said).groups()
    failed = re.search(r"Non-2xx.*: (\d+)|Socket errors: connect (?!0,).*", said)
    if failed or int(count) == 0:
        raise RuntimeError(f"{url} was not answered as it should be:\n{said}")
    return int(count) / float(took), used / int(count) * 1e6 if pids else None


def balance(wharf: Wharf, addresses: list[str]) -> int:
    """Makes a load balancer before the targets, waits until they are healthy, and returns its port here."""
    elb, ec2 = wharf.client("elbv2"), wharf.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    port = free_port()
    balancer = elb.create_load_balancer(Name="bench", Subnets=wharf.subnets, Type="application", Scheme="internet-facing")
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name="bench", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", HealthCheckPath="/",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    # Outside the VPC, which AWS allows with this zone.
    targets = [{"Id": address, "Port": 80, "AvailabilityZone": "all"} for address in addresses]
    elb.register_targets(TargetGroupArn=group, Targets=targets)
    action = {"Type": "forward", "TargetGroupArn": group}
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=[action])

    def healthy() -> bool:
        told = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return len(told) == len(addresses) and all(one["TargetHealth"]["State"] == "healthy" for one in told)

    wharf.wait(healthy, "find the targets healthy", 60, 0.5)
    pid = wharf.processes()["balancer"]
    if len(os.sched_getaffinity(0)) > 1:
        subprocess.run(["taskset", "-acp", "0", str(pid)], check=True, capture_output=True)
    return port
