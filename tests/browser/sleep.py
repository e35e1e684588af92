"""A machine that sleeps: all processes of a browser stand still, and the node goes on."""

import os
import signal
import subprocess
from collections.abc import Iterator


def browser_processes() -> tuple[list[int], list[int]]:
    """Ids of what this process has started of browsers: those that hold pages, and the others."""
    answer = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in answer.stdout.splitlines()]
    parents = {int(pid): int(parent) for pid, parent, _ in rows}

    def line_of(pid: int) -> Iterator[int]:
        while pid in parents:
            pid = parents[pid]
            yield pid

    ours = {int(pid): words for pid, _, words in rows if "chrom" in words.lower() and os.getpid() in line_of(int(pid))}
    pages = [pid for pid, words in ours.items() if "--type=renderer" in words]
    return pages, [pid for pid in ours if pid not in pages]


def signal_all(processes: list[int], what: signal.Signals) -> None:
    for pid in processes:
        os.kill(pid, what)
