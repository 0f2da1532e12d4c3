"""Numbers: rows with medians, ratios between them, the machine they come from, and the table for people."""

import json
import os
import platform
import statistics
from pathlib import Path


def percentile(samples: list[float], share: float) -> float:
    """Returns the sample below which `share` (0 to 1) of the others lie, by nearest rank."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def times(who: str, what: str, samples_ms: list[float]) -> dict:
    """Returns a row for durations."""
    return {
        "who": who,
        "what": what,
        "n": len(samples_ms),
        "p50_ms": round(percentile(samples_ms, 0.5), 3),
        "p99_ms": round(percentile(samples_ms, 0.99), 3),
        "min_ms": round(min(samples_ms), 3),
    }


def machine() -> dict:
    """Returns what the numbers depend on."""
    models = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    total = next(line for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    return {
        "cpu": models[0] if models else platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(total.split()[1]) / 1024 / 1024, 1),
        "kernel": platform.release(),
        "os": release.get("PRETTY_NAME", "").strip('"'),
        "cgroups": "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1",
        "load_before": os.getloadavg()[0],
    }


class Results:
    """Collects a benchmark's rows; writes and prints them."""

    def __init__(self, name: str):
        self.name = name
        self.machine = machine()
        self.rows: list[dict] = []
        self.ratios: dict[str, float] = {}
        self.notes: list[str] = []

    def find(self, who: str, what: str, key: str) -> float | None:
        """Returns one number, if it was measured."""
        return next((row.get(key) for row in self.rows if (row["who"], row["what"]) == (who, what)), None)

    def ratio(self, name: str, above: float | None, below: float | None) -> None:
        """Adds a ratio, if both sides were measured."""
        if above is not None and below:
            self.ratios[name] = round(above / below, 3)

    def write(self, folder: Path) -> Path:
        """Writes the file whose keys are the same for every benchmark."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        whole = {"machine": self.machine, "rows": self.rows, "ratios": self.ratios, "notes": self.notes}
        path.write_text(json.dumps(whole, indent=1) + "\n")
        return path

    def table(self) -> str:
        """Returns the rows as a Markdown table, for a terminal and for the README."""
        keys = ["who", "what"]
        for row in self.rows:
            keys += [key for key in row if key not in keys]
        cells = [keys] + [[shown(row.get(key)) for key in keys] for row in self.rows]
        widths = [max(len(line[at]) for line in cells) for at in range(len(keys))]
        lines = [" | ".join(text.ljust(width) for text, width in zip(line, widths)) for line in cells]
        lines.insert(1, "-|-".join("-" * width for width in widths))
        lines = [f"| {line} |" if at != 1 else f"|-{line}-|" for at, line in enumerate(lines)]
        lines += [f"\n{name}: {value}" for name, value in self.ratios.items()]
        lines += [f"\nNote: {note}" for note in self.notes]
        return "\n".join(lines)


def shown(value: object) -> str:
    """Returns a cell's text."""
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def median(samples: list[float]) -> float:
    """Returns the median, rounded so that a file can be read."""
    return round(statistics.median(samples), 2)
