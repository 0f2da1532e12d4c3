"""memory: what each of Wharf's processes holds, idle and with fifty tasks running."""

import time
from pathlib import Path

from .results import Results
from .wharf import Wharf, memory_mb

TASKS = 50
BATCH = 10  # as many as one RunTask may ask for


def measure(results: Results, bundles: Path, wharf: Wharf) -> None:
    """Measures at rest, runs the tasks, and measures again."""
    # Start-up's garbage is returned to the kernel in its own time.
    time.sleep(5)
    note(results, wharf, "idle")
    wharf.push(bundles / "hello", "hello")
    definition = wharf.register("bench-serve", "hello", ["serve"])
    arns = [arn for _ in range(TASKS // BATCH) for arn in wharf.run_tasks(definition, BATCH)]
    wharf.wait(lambda: wharf.tasks_in(arns, "RUNNING"), f"run {TASKS} tasks", 180, 0.5)
    time.sleep(5)
    note(results, wharf, f"{TASKS} tasks")
    for arn in arns:
        wharf.ecs.stop_task(task=arn)
    wharf.wait(lambda: wharf.tasks_in(arns, "STOPPED"), f"stop {TASKS} tasks", 180, 0.5)


def note(results: Results, wharf: Wharf, what: str) -> None:
    """Adds a row for each process and their sum."""
    held = {name: memory_mb(pid) for name, pid in wharf.processes().items()}
    # Only PSS may be added up: what two processes share is in the RSS of both.
    held["sum"] = {"pss_mb": round(sum(one["pss_mb"] for one in held.values()), 2)}
    results.rows += [{"who": f"wharf {name}", "what": what, "n": 1, **sizes} for name, sizes in held.items()]
