"""control: how soon a control plane with 100,000 tasks answers after it was killed, and what it holds."""

import hashlib
import http.client
import json
import shutil
import subprocess
import time
from pathlib import Path

from . import simulated
from .results import Results, times
from .wharf import Wharf, memory_mb

TASKS = 100_000
RUNS = 5
CALLS = 300


def measure(results: Results, bundles: Path, wharf: Wharf, place: Path) -> None:
    """Runs one task, makes a state of very many like it out of a backup, and starts control over it."""
    simulated.measure(results, wharf.binary, place)
    backup, many = place / "backup", place / "many"
    wharf.push(bundles / "hello", "hello")
    definition = wharf.register("bench-serve", "hello", ["serve"])
    (arn,) = wharf.run_tasks(definition, 1)
    wharf.wait(lambda: wharf.tasks_in([arn], "RUNNING"), "run a task", 60)
    must(wharf, "backup", str(backup))
    must(wharf, "down")
    state = place / "wharf" / "state"
    ids = multiply(backup, many, arn.rsplit("/", 1)[1])
    # A restore ends tasks that this machine's agent knows nothing of; no agent is started over these.
    journals = [state / "tasks" / task for task in ids]
    for journal in journals:
        journal.mkdir(parents=True, exist_ok=True)
    try:
        began = time.monotonic()
        must(wharf, "restore", str(many), "--replace")
        results.rows.append(times("wharf restore", f"{TASKS} tasks", [(time.monotonic() - began) * 1000]))
        restarts(results, wharf, ids)
    finally:
        for journal in journals[1:]:
            shutil.rmtree(journal, ignore_errors=True)
    file_mb = (state / "state.redb").stat().st_size / 1024 / 1024
    results.notes.append(
        f"control alone, without agent and balancer, killed with SIGKILL before each start; state file {file_mb:.0f} MB"
    )


def restarts(results: Results, wharf: Wharf, ids: list[str]) -> None:
    """Starts control again and again, each time after it was killed."""
    serving, held, calls = [], [], []
    for run in range(RUNS + 1):
        log = open(wharf.log, "ab")
        began = time.monotonic()
        control = subprocess.Popen(
            [wharf.binary, "control", *wharf.options], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            while not describes(wharf, ids[-1]):
                if control.poll() is not None or time.monotonic() - began > 120:
                    raise RuntimeError(f"control does not serve {TASKS} tasks; see {wharf.log}")
                time.sleep(0.005)
            # The first start follows a restore, and not a crash.
            if run > 0:
                serving.append((time.monotonic() - began) * 1000)
            time.sleep(3)
            held.append(memory_mb(control.pid))
            if run == RUNS:
                calls = [timed(lambda at=at: describes(wharf, ids[at * 331 % len(ids)])) for at in range(CALLS)]
        finally:
            control.kill()
            control.wait()
    results.rows.append(times("wharf control", f"restart with {TASKS} tasks to an answer", serving))
    results.rows.append(times("wharf control", f"DescribeTasks of one of {TASKS}, one at a time", calls))
    worst = max(held, key=lambda one: one["rss_mb"])
    results.rows.append({"who": "wharf control", "what": f"{TASKS} tasks, memory", "n": len(held), **worst})


def timed(call) -> float:
    """Returns how many milliseconds something took that must be true."""
    began = time.monotonic()
    if not call():
        raise RuntimeError("a task is not there")
    return (time.monotonic() - began) * 1000


def describes(wharf: Wharf, task: str) -> bool:
    """Returns whether DescribeTasks shows a task as RUNNING."""
    connection = http.client.HTTPConnection("127.0.0.1", wharf.port, timeout=30)
    try:
        head = {
            "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.DescribeTasks",
            "Content-Type": "application/x-amz-json-1.1",
        }
        connection.request("POST", "/", json.dumps({"tasks": [task]}), head)
        answer = connection.getresponse()
        body = json.loads(answer.read())
    except OSError:
        return False
    finally:
        connection.close()
    return answer.status == 200 and [one["lastStatus"] for one in body["tasks"]] == ["RUNNING"]


def must(wharf: Wharf, name: str, *more: str) -> None:
    """Runs a subcommand that must succeed."""
    done = wharf.command(name, *more)
    if done.returncode != 0:
        raise RuntimeError(f"wharf {name}: {done.returncode}\n{done.stderr}")


def multiply(backup: Path, many: Path, task: str) -> list[str]:
    """Writes a backup with copies of a task, each with its own interface and address; returns the tasks' ids."""
    plain = subprocess.run(["zstd", "-dc", str(backup)], check=True, capture_output=True).stdout
    lines = plain.decode().splitlines()
    records = [line for line in lines if line.startswith('{"record":')]
    of_task = next(line for line in records if is_of(line, "tasks") and task in line)
    interface = json.loads(of_task)["record"]["value"]["interface"]
    of_interface = next(line for line in records if is_of(line, "network_interfaces") and interface in line)
    address = json.loads(of_interface)["record"]["value"]["private_ip"]
    templates = [line for line in records if task in line or interface in line]
    ids, count, digest = [task], 0, hashlib.sha256()
    with open(many, "wb") as out:

        def put(line: str) -> None:
            data = line.encode() + b"\n"
            digest.update(data)
            out.write(data)

        put(lines[0])
        for record in records:
            put(record)
        for number in range(1, TASKS):
            other = f"{number:08x}{task[8:]}"
            ids.append(other)
            own_interface = f"eni-{number:017x}"
            own_address = f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            for line in templates:
                put(line.replace(task, other).replace(interface, own_interface).replace(address, own_address))
                count += 1
        files = [line for line in lines[1:] if not line.startswith(('{"record":', '{"end":'))]
        for line in files:
            put(line)
        begun = sum(line.startswith('{"file":') for line in files)
        end = {"records": len(records) + count, "files": begun, "sha256": digest.hexdigest()}
        out.write(json.dumps({"end": end}).encode() + b"\n")
    return ids


def is_of(line: str, table: str) -> bool:
    """Returns whether a line is a record of a table."""
    return line.startswith(f'{{"record":{{"table":"{table}"')
