"""launch: from the command, or the RunTask request, to the application's first write.

The application is `hello clock`, whose first and only write is the time; it is compared with the
time at which the client was started, or at which the request was sent and answered. Everything runs in
turns, one at a time, images warm.
"""

import sys
from pathlib import Path

from . import engines
from .results import Results, times
from .wharf import Wharf

PARTS = {
    "accepted to pull started": ("createdAt", "pullStartedAt"),
    "pull (warm)": ("pullStartedAt", "pullStoppedAt"),
    "pull stopped to started": ("pullStoppedAt", "startedAt"),
}


def measure(results: Results, work: Path, bundles: Path, wharf: Wharf | None, runs: int) -> None:
    """Measures everybody in turns and adds the rows."""
    image = bundles / "hello"
    with engines.started(work, image, results.notes) as peers:
        launches: dict[str, list[float]] = {peer.name: [] for peer in peers}
        sent: list[float] = []
        answered: list[float] = []
        parts: dict[str, list[float]] = {name: [] for name in PARTS}
        if wharf:
            wharf.push(image, "hello")
            definition = wharf.register("bench-clock", "hello", ["clock"])
            for _ in range(3):
                wharf.clock_task(definition)
        for turn in range(runs):
            if sys.stderr.isatty():
                print(f"\rturn {turn + 1} of {runs}", end="", file=sys.stderr)
            for peer in peers:
                launches[peer.name].append(peer.once())
            if wharf:
                task = wharf.clock_task(definition)
                sent.append((task.wrote - task.sent) / 1e6)
                answered.append((task.wrote - task.answered) / 1e6)
                for name, (begin, end) in PARTS.items():
                    if begin in task.described and end in task.described:
                        parts[name].append((task.described[end] - task.described[begin]) * 1e3)
        if sys.stderr.isatty():
            print(file=sys.stderr)
        if wharf:
            results.notes.append(
                "while keeper runs (with kernels from 6.18 on: until the next boot), moving processes between control"
                " groups is quick for everybody; where it never ran, a peer's first move waits 5 to 30 ms here"
            )
            results.rows.append(times("wharf", "run_task_to_first_write", sent))
            results.rows.append(times("wharf", "run_task_answered_to_first_write", answered))
            for name, samples in parts.items():
                if samples:
                    results.rows.append(times("wharf", f"part: {name}", samples))
        for peer in peers:
            results.rows.append(times(peer.name, "run_to_first_write", launches[peer.name]))
            results.notes.append(f"{peer.name}: network {peer.network}; {' '.join((peer.__doc__ or '').split())}")
    ours = results.find("wharf", "run_task_to_first_write", "p50_ms")
    for name in launches:
        results.ratio(f"{name} / wharf (p50)", results.find(name, "run_to_first_write", "p50_ms"), ours)
        if name != "crun":
            bare = results.find("crun", "run_to_first_write", "p50_ms")
            results.ratio(f"{name} / crun (p50)", results.find(name, "run_to_first_write", "p50_ms"), bare)
