"""Measures Wharf beside its peers: `scripts/bench` starts this with everything installed and built."""

import argparse
import contextlib
import os
import tempfile
from pathlib import Path

from . import alb, control, images, launch, logs, many, memory, network
from .results import Results
from .wharf import Wharf


NAMES = ["launch", "alb", "memory", "network", "images", "logs", "control"]
# These measure only Wharf.
ALONE = ["memory", "network", "logs", "control"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("names", nargs="*", default=["all"], choices=[*NAMES, "all"])
    parser.add_argument("--peers-only", action="store_true", help="without Wharf")
    parser.add_argument("--runs", type=int, default=60, help="launches of each (60)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of load (3)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of load each (4)")
    parser.add_argument("--binary", type=Path, help="the wharf to measure")
    parser.add_argument("--bundles", type=Path, required=True, help="the images that scripts/bundles made")
    parser.add_argument("--results", type=Path, required=True, help="the folder for the JSON files")
    parser.add_argument("--work", type=Path, help="a folder on a real file system for temporary data")
    given = parser.parse_args()
    names = NAMES if "all" in given.names else given.names
    for name in names:
        if name in ALONE and given.peers_only:
            print(f"{name} measures only Wharf: left out")
            continue
        results = Results(name)
        # Short, because sockets lie in it. Each benchmark has a Wharf of its own: one's tasks would
        # be in another's memory.
        with tempfile.TemporaryDirectory(prefix="wb-", dir=given.work) as work, contextlib.ExitStack() as stack:
            place = Path(work)
            own = given.peers_only or name == "network"
            wharf = None if own else stack.enter_context(Wharf(given.binary, place))
            if name == "launch":
                launch.measure(results, place, given.bundles, wharf, given.runs)
                if wharf:
                    many.measure(results, given.bundles, wharf, given.rounds)
            elif name == "alb":
                alb.measure(results, place, wharf, given.rounds, given.seconds)
            elif name == "network":
                network.measure(results, place, given.binary, given.bundles)
            elif name == "images":
                images.measure(results, place, wharf, given.rounds)
            elif name == "logs":
                logs.measure(results, given.bundles, wharf)
            elif name == "control":
                control.measure(results, given.bundles, wharf, place)
            else:
                memory.measure(results, given.bundles, wharf)
        path = results.write(given.results)
        print(f"\n{results.table()}\n\n{name}: {path}, load before {results.machine['load_before']:.1f}\n")
        if results.machine["load_before"] > 0.5 * (os.cpu_count() or 1):
            print("! the machine was busy: these numbers say little\n")


main()
