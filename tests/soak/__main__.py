"""Starts and stops many tasks, and looks whether anything of them stays: `scripts/soak` starts this."""

import argparse
import glob
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.wharf import PROCESSES, Wharf, memory_mb

ROUND = 40  # tasks that live at a time; a quarter of them end by themselves
BATCH = 10  # as many as one RunTask may ask for
SETTLE_SECONDS = 30
GROWTH_MB = {"agent": 16, "keeper": 4, "balancer": 8}  # beyond what they had after the first round


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("--tasks", type=int, default=2000, help="tasks in all (2000)")
    parser.add_argument("--kill", action="store_true", help="kill one of Wharf's processes now and then")
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--bundles", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ws-", dir="/var/tmp") as work, Wharf(given.binary, Path(work)) as wharf:
        wharf.push(given.bundles / "hello", "hello")
        serve, ends = wharf.register("serve", "hello", ["serve"]), wharf.register("ends", "hello", ["exit", "7"])
        play(wharf, serve, ends)
        before = settled(wharf, None)
        memory = {name: memory_mb(pid)["pss_mb"] for name, pid in wharf.processes().items()}
        print("after the first tasks:", before, memory, flush=True)
        begun, done = time.monotonic(), 0
        while done < given.tasks:
            if given.kill and done % (5 * ROUND) == 0:
                kill(wharf, PROCESSES[done // (5 * ROUND) % len(PROCESSES)])
            done += play(wharf, serve, ends)
            if done % (10 * ROUND) == 0:
                print(f"{done} tasks, {done / (time.monotonic() - begun):.1f} a second", flush=True)
        after = settled(wharf, before)
        grown = {
            name: round(memory_mb(pid)["pss_mb"] - memory[name], 1) for name, pid in wharf.processes().items()
        }
        print(f"after {done} tasks:", after, "grown by MB:", grown)
        wrong = [f"{what}: {before[what]} before, {count} after" for what, count in after.items() if count > before[what]]
        if not given.kill:
            wrong += [f"{name} grew by {grown[name]} MB" for name, most in GROWTH_MB.items() if grown[name] > most]
    if wrong:
        sys.exit("left behind:\n" + "\n".join(wrong))
    print("nothing left behind")


def play(wharf: Wharf, serve: str, ends: str) -> int:
    """Has a round of tasks start and stop, and returns how many."""
    arns = [arn for _ in range(ROUND // BATCH - 1) for arn in wharf.run_tasks(serve, BATCH)]
    own = wharf.run_tasks(ends, BATCH)
    wharf.wait(lambda: wharf.tasks_in(arns, "RUNNING"), "run a round of tasks", 60, 0.2)
    for arn in arns:
        wharf.ecs.stop_task(task=arn)
    tasks = wharf.wait(lambda: wharf.tasks_in(arns + own, "STOPPED"), "stop a round of tasks", 90, 0.2)
    codes = {task["taskArn"]: task["containers"][0].get("exitCode") for task in tasks}
    odd = [f"{arn}: {codes[arn]}" for arn in arns + own if codes[arn] not in (None, 7 if arn in own else 0)]
    if odd:
        sys.exit("exit codes that nobody gave:\n" + "\n".join(odd))
    return len(arns) + len(own)


def kill(wharf: Wharf, name: str) -> None:
    """Kills one of Wharf's processes and waits until there is another in its place."""
    old = wharf.processes()[name]
    os.kill(old, signal.SIGKILL)
    wharf.wait(lambda: wharf.processes()[name] != old, f"start {name} again", 20)
    wharf.wait(lambda: wharf.command("status", "--quiet").returncode == 0, "become ready again", 30)


def settled(wharf: Wharf, limit: dict[str, int] | None) -> dict[str, int]:
    """Counts until nothing is above the limit, or what is there stays the same."""
    end = time.monotonic() + SETTLE_SECONDS
    last: dict[str, int] = {}
    while True:
        counted = census(wharf)
        fits = all(counted[what] <= most for what, most in limit.items()) if limit else counted == last
        if fits or time.monotonic() > end:
            return counted
        last = counted
        time.sleep(1)


def census(wharf: Wharf) -> dict[str, int]:
    """Counts what tasks could leave: in the kernel, on the disk, in Wharf's processes."""
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    links = subprocess.run(["ip", "-o", "link", "show"], capture_output=True, text=True, check=True).stdout
    # A run in a container has its own below the container's, not at the top of a hierarchy.
    tops = glob.glob("/sys/fs/cgroup/wharf*") + glob.glob("/sys/fs/cgroup/*/wharf*")
    counted = {
        "mounts": sum(1 for _ in open("/proc/self/mountinfo")),
        "links": links.count("\n"),
        "lines of nftables": rules.count("\n"),
        "elements of nftables": rules.count(","),
        "cgroups": sum(1 for top in tops for _ in os.walk(top)),
        "network namespaces": len(list((wharf.run_dir / "netns").iterdir())),
        "folders of tasks": sum(1 for root, _, _ in os.walk(wharf.run_dir.parent) if Path(root).parent.name == "tasks"),
    }
    for name, pid in wharf.processes().items():
        counted[f"descriptors of {name}"] = len(os.listdir(f"/proc/{pid}/fd"))
        counted[f"threads of {name}"] = len(os.listdir(f"/proc/{pid}/task"))
    return counted


main()
