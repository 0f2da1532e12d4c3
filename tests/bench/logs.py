"""logs: lines from one container, and from several at once, until they are durable in the log store."""

import time
from pathlib import Path

from .results import Results
from .wharf import Wharf, memory_mb

LINES = 1_000_000
SEVERAL = 5

SCRIPT = """
import sys, time
text = ' of a log with as many words in it as lines of programs have, a hundred bytes or so'
began = time.time()
for first in range(0, {lines}, 1000):
    sys.stdout.write(''.join(f'{{n:09d}}{{text}}\\n' for n in range(first, first + 1000)))
    sys.stdout.flush()
print('took', time.time() - began, flush=True)
"""


def measure(results: Results, bundles: Path, wharf: Wharf) -> None:
    """Runs the writers, and counts what has arrived."""
    wharf.push(bundles / "fastapi", "fastapi")
    for count, lines in ((1, LINES), (SEVERAL, LINES // SEVERAL)):
        definition = wharf.register(f"writes-{count}", "fastapi", ["python3", "-c", SCRIPT.format(lines=lines)])
        before = {name: memory_mb(pid)["pss_mb"] for name, pid in wharf.processes().items()}
        began = time.monotonic()
        arns = wharf.run_tasks(definition, count)
        peak = dict(before)

        def all_there() -> list[float] | None:
            for name, pid in wharf.processes().items():
                peak[name] = max(peak[name], memory_mb(pid)["pss_mb"])
            took = [last_line(wharf, f"bench/fastapi/{arn.rsplit('/', 1)[1]}") for arn in arns]
            return took if all(took) else None

        took = wharf.wait(all_there, "deliver every line", 240, 0.2)
        elapsed = time.monotonic() - began
        row = {
            "who": "wharf",
            "what": f"{count} container{'s' if count > 1 else ''}, {lines} lines each",
            "n": 1,
            "written_per_s": round(count * lines / max(took)),
            "stored_per_s": round(count * lines / elapsed),
            "agent_peak_mb": peak["agent"],
            "control_peak_mb": peak["control"],
        }
        results.rows.append(row)
        results.ratio(f"stored / 50,000 per second, {count}", row["stored_per_s"], 50_000)
    results.notes.append("stored_per_s counts from the request for the task to the last line in the store")


def last_line(wharf: Wharf, stream: str) -> float | None:
    """Returns how long a writer took, once its last line is stored."""
    try:
        events = wharf.logs.get_log_events(logGroupName="/bench", logStreamName=stream, limit=1)["events"]
    except wharf.logs.exceptions.ResourceNotFoundException:
        return None
    words = events[-1]["message"].split() if events else []
    return float(words[1]) if words[:1] == ["took"] else None
