"""launch, many at once: five hundred tasks started and stopped as fast as one caller can ask for them."""

import time
from pathlib import Path

from .results import Results
from .wharf import Wharf, memory_mb

TASKS = 500
BATCH = 10  # as many as one RunTask may ask for
PAGE = 100  # as many as one DescribeTasks may ask for


def measure(results: Results, bundles: Path, wharf: Wharf, rounds: int) -> None:
    """Starts and stops them so often and adds the rows; times are what the tasks themselves say."""
    wharf.push(bundles / "hello", "hello")
    definition = wharf.register("bench-serve", "hello", ["serve"])
    for arns in [wharf.run_tasks(definition, BATCH)]:
        stop(wharf, arns)
    started, asked, stopped = [], [], []
    for _ in range(rounds):
        begun = time.time()
        arns = [arn for _ in range(TASKS // BATCH) for arn in wharf.run_tasks(definition, BATCH)]
        asked.append((time.time() - begun) * 1e3)
        tasks = reached(wharf, arns, "RUNNING")
        started.append((max(task["startedAt"].timestamp() for task in tasks) - begun) * 1e3)
        held = {name: memory_mb(wharf.processes()[name])["pss_mb"] for name in ("agent", "keeper")}
        begun = time.time()
        tasks = stop(wharf, arns)
        stopped.append((max(task["stoppedAt"].timestamp() for task in tasks) - begun) * 1e3)
    for what, samples in {"asked for": asked, "all running": started, "all stopped": stopped}.items():
        middle = sorted(samples)[len(samples) // 2]
        results.rows.append({
            "who": "wharf", "what": f"{TASKS} tasks {what}", "n": len(samples), "p50_ms": round(middle, 1),
            "min_ms": round(min(samples), 1), "per_second": round(TASKS / middle * 1e3),
        })  # fmt: skip
    for name, size in held.items():
        results.rows.append({"who": f"wharf {name}", "what": f"{TASKS} tasks running", "n": 1, "pss_mb": size})


def reached(wharf: Wharf, arns: list[str], status: str) -> list[dict]:
    """Returns the tasks once all have that status."""
    found = []
    for at in range(0, len(arns), PAGE):
        # Asking more often would take the processor from what is measured.
        page = arns[at : at + PAGE]
        found += wharf.wait(lambda page=page: wharf.tasks_in(page, status), f"have {TASKS} tasks {status}", 180, 0.5)
    return found


def stop(wharf: Wharf, arns: list[str]) -> list[dict]:
    """Stops tasks and returns them."""
    for arn in arns:
        wharf.ecs.stop_task(task=arn)
    return reached(wharf, arns, "STOPPED")
