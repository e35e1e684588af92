"""What the hub costs: the whole node beside a C program that only copies bytes, and beside taky.

    python3 dev.py bench hub [--json FILE] [--only a,b,c,d,e] [--rounds 3] [--seconds 5]

Server on one core, generator on another, both hubs with the same tick; CPU seconds of the server per million
deliveries, from /proc, median of the rounds taken in turn. Only loopback.
"""

import argparse
import contextlib
import json
import os
import platform
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "hub"
BIN = Path(sys.executable).parent
FILES_WANTED = 8_000
Row = dict[str, Any]
Start = Callable[[Path, int], list[str]]


def main() -> int:
    """Run the scenarios; exit status 1 when a gated figure is missed."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--json", type=Path, help="write the rows here")
    words.add_argument("--only", default="a,b,c,d,e", help="scenarios, with commas")
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--seconds", type=int, default=5)
    asked = words.parse_args()
    lacking = lacks()
    if lacking:
        print(lacking)
        return 2
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bench = Bench(build(work), work, asked.rounds, asked.seconds)
        for name in asked.only.split(","):
            for row in SCENARIOS[name](bench):
                rows.append({"scenario": name, **row})
                show(rows[-1])
    if asked.json:
        about = {"machine": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        asked.json.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    return 1 if any(row.get("holds") is False for row in rows) else 0


def lacks() -> str | None:
    """One sentence on what this machine lacks; None = nothing."""
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        return "bench hub needs a C compiler for the generator and the limit: install gcc"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < FILES_WANTED:
        return f"bench hub needs {FILES_WANTED} open files and this user may have {hard}: raise `ulimit -Hn`"
    if (os.cpu_count() or 1) < 2:
        return "bench hub needs two cores: one for the server, one for the generator"
    return None


def build(work: Path) -> dict[str, Path]:
    """Compile limit and generator; about a second."""
    built = {name: work / name for name in ("limit_hub", "load")}
    for name, path in built.items():
        cc = shutil.which("cc") or "gcc"
        subprocess.run([cc, "-O2", "-o", str(path), str(HERE / f"{name}.c")], check=True)
    return built


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Bench:
    """Starts servers, drives the generator, takes medians."""

    def __init__(self, built: dict[str, Path], work: Path, rounds: int, seconds: int) -> None:
        self.built = built
        self.work = work
        self.rounds = rounds
        self.seconds = seconds
        self.folders = 0

    # -- servers ------------------------------------------------------------------------------------------------------

    def limit(self, port: int, tick_us: int = 20_000) -> list[str]:
        """The C hub: it copies bytes, once per connection and round."""
        return [str(self.built["limit_hub"]), str(port), "batch", str(tick_us)]

    def aquila(self, port: int, *, fixed_tick: bool = True, http: int = 0) -> list[str]:
        """The whole node: lxml on every event, policy, views, journal, track table."""
        self.folders += 1
        config = self.work / f"node{self.folders}.toml"
        lines = [
            f"tick_adaptive = {str(not fixed_tick).lower()}",
            "connections_per_address = 20000",
            "rate_per_s = 1000000",
        ]
        config.write_text("\n".join(lines) + "\n")
        data = self.work / f"data{self.folders}"
        words = ["serve", "--config", str(config), "--data", str(data), "--demo", "none"]
        for flag, number in (("tak", port), ("http", http), ("tak-tls", 0), ("api-tls", 0), ("enrol", 0)):
            words += [f"--{flag}-port", str(number)]
        return [str(BIN / "aquila"), *words]

    def harness(self, port: int, audiences: int) -> list[str]:
        """The way of a position through the node without its disk, for many audiences over plain TCP."""
        return [sys.executable, str(HERE / "node.py"), str(port), "--audiences", str(audiences)]

    def taky(self, port: int) -> list[str]:
        """The peer from PyPI."""
        folder = self.work / f"taky{port}"
        folder.mkdir(exist_ok=True)
        config = folder / "taky.conf"
        config.write_text(
            f"[taky]\nhostname=localhost\nnode_id=T\nbind_ip=127.0.0.1\nserver_address=127.0.0.1\nroot_dir={folder}\n"
            f"[cot_server]\nport={port}\nmax_persist_ttl=0\n[dp_server]\nupload_path={folder}\n[ssl]\nenabled=false\n"
        )
        return [str(BIN / "taky"), "-c", str(config)]

    @contextlib.contextmanager
    def server(self, command: list[str], port: int) -> Iterator[int]:
        """A server pinned to core 0 that answers on its port; gives its process number."""
        log = (self.work / "server.log").open("w")
        process = subprocess.Popen(
            ["taskset", "-c", "0", *command], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until and process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            else:
                raise SystemExit(f"{command[0]} does not answer: {(self.work / 'server.log').read_text()[-500:]}")
            time.sleep(0.5)
            yield process.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            log.close()

    # -- runs ---------------------------------------------------------------------------------------------------------

    def load(self, port: int, pid: int, **options: Any) -> Row:
        """One run of the generator."""
        words = {"port": port, "pid": pid, "seconds": self.seconds, **options}
        command = ["taskset", "-c", "1", str(self.built["load"])]
        for name, value in words.items():
            command += [f"--{name}", str(value)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        row: Row = json.loads(done.stdout.strip().splitlines()[-1])
        return row

    def once(self, command: list[str], port: int, **options: Any) -> Row:
        """Start, load, stop."""
        with self.server(command, port) as pid:
            return self.load(port, pid, **options)

    def best_window(self, make: Callable[[int], list[str]]) -> int:
        """How many events may be under way for this side to cost least, by one run each."""
        cost: dict[int, float] = {}
        for window in (20, 50, 100, 200):
            port = free_port()
            run = self.once(make(port), port, pub=10, sub=10, window=window)
            if run["deliveries_per_s"]:
                cost[window] = run["server_cpu_s_per_million"]
        return min(cost, key=cost.__getitem__)

    def medians(
        self, sides: dict[str, Callable[[int], list[str]]], windows: dict[str, int] | None = None, **options: Any
    ) -> dict[str, Row]:
        """Each side `rounds` times, in turn; the median run of each by CPU per delivery.

        windows: how many events of a side may be under way; absent = no such bound.
        """
        runs: dict[str, list[Row]] = {name: [] for name in sides}
        for _ in range(self.rounds):
            for name, make in sides.items():
                port = free_port()
                window = {} if windows is None else {"window": windows[name]}
                runs[name].append(self.once(make(port), port, **options, **window))
        return {name: median(each) for name, each in runs.items()}


def median(runs: list[Row]) -> Row:
    """The run in the middle, by CPU seconds per million deliveries."""
    return sorted(runs, key=lambda run: run["server_cpu_s_per_million"])[(len(runs) - 1) // 2]


def figures(run: Row) -> Row:
    """What of a run is shown."""
    names = ("deliveries_per_s", "p50_ms", "p99_ms", "loss_pct", "server_cpu_s_per_million", "server_rss_mb", "closed")
    return {name: run[name] for name in names}


def show(row: Row) -> None:
    """One line of the table."""
    ratio = f"{row['ratio']:6.2f} x" if "ratio" in row else " " * 8
    verdict = {True: "holds", False: "MISSED", None: ""}[row.get("holds")]
    run = row.get("run") or {}
    cpu = f"{run['server_cpu_s_per_million']:8.3f} s/M" if run else " " * 12
    p99 = f"p99 {run['p99_ms']:7.1f} ms" if run else ""
    print(
        f"{row['scenario']}  {row['what']:52} {cpu}  {p99:16} {ratio}  {row.get('goal', ''):10} {verdict}", flush=True
    )


def compared(what: str, run: Row, base: Row, goal: float | None, *, upside: bool = False) -> Row:
    """A row with the ratio of CPU per delivery to a base of the same run."""
    ratio = run["server_cpu_s_per_million"] / base["server_cpu_s_per_million"]
    if upside:
        ratio = 1 / ratio
    row: Row = {"what": what, "run": figures(run), "ratio": round(ratio, 2)}
    if goal is not None:
        row["goal"] = f">= {goal}" if upside else f"<= {goal}"
        row["holds"] = ratio >= goal if upside else ratio <= goal
    return row


def thousand(bench: Bench) -> Iterator[Row]:
    """(a) 1,000 clients at 1 Hz, everything on, both sides with a fixed 20 ms tick."""
    found = bench.medians({"limit": bench.limit, "aquila": bench.aquila}, pub=1000, sub=0, rate=1)
    yield {"what": "C hub that only copies bytes, 1,000 x 1 Hz", "run": figures(found["limit"])}
    yield compared("whole node, 1,000 x 1 Hz", found["aquila"], found["limit"], 1.5)


def audiences(bench: Bench) -> Iterator[Row]:
    """(b) The same in 50 audiences (5 nations x 10 groups), one delivery of ten redacted."""
    sides = {"one": lambda port: bench.harness(port, 1), "fifty": lambda port: bench.harness(port, 50)}
    found = bench.medians(sides, pub=1000, sub=0, rate=1)
    yield {"what": "hub without disk, one audience", "run": figures(found["one"])}
    yield compared("hub without disk, 50 audiences, 10 % redacted", found["fifty"], found["one"], 1.5)


def flat_out(bench: Bench) -> Iterator[Row]:
    """(c) 10 publishers, 10 listeners, as fast as it goes; taky at its best window, found first."""
    sides = {
        "limit": lambda port: bench.limit(port, 0),
        "aquila": lambda port: bench.aquila(port, fixed_tick=False),
    }
    windows = {"limit": 2000, "aquila": 2000}
    if (BIN / "taky").exists():
        sides["taky"] = bench.taky
        windows["taky"] = bench.best_window(bench.taky)
    else:
        yield {"what": "taky is not installed: run it by `python3 dev.py bench hub`"}
    found = bench.medians(sides, windows, pub=10, sub=10)
    yield {"what": "C hub, 10 x 10 flat out", "run": figures(found["limit"])}
    yield compared("whole node, 10 x 10 flat out (ratio to C not gated)", found["aquila"], found["limit"], None)
    if "taky" in found:
        yield {"what": f"taky at its best window, {windows['taky']}", "run": figures(found["taky"])}
        yield compared("whole node against taky", found["aquila"], found["taky"], 10, upside=True)


def deaf(bench: Bench) -> Iterator[Row]:
    """(d) Ten of thirty clients never read: the median over pairs of runs on one server.

    Two starts of the same node differ by more than 5 %, and so do minutes of a shared machine: so each round is one
    server that meets both crowds in turn, eight times for two seconds, and neighbours in time are compared.
    """
    pairs: list[dict[int, Row]] = []
    for _ in range(bench.rounds):
        port = free_port()
        with bench.server(bench.aquila(port, fixed_tick=False), port) as pid:
            for turn in range(8):
                first = 0 if turn % 2 == 0 else 10
                pairs.append(
                    {
                        slow: bench.load(port, pid, pub=10, sub=10, slow=slow, window=2000, seconds=2)
                        for slow in (first, 10 - first)
                    }
                )
    ratios = sorted(pair[10]["server_cpu_s_per_million"] / pair[0]["server_cpu_s_per_million"] for pair in pairs)
    cost = statistics.median(ratios)
    yield {"what": "20 clients, all read", "run": figures(median([pair[0] for pair in pairs]))}
    yield {
        "what": "the same 20, and ten more that never read",
        "run": figures(median([pair[10] for pair in pairs])),
        "ratio": round(cost, 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "goal": "<= 1.05",
        "holds": cost <= 1.05,
    }


def screens(bench: Bench) -> Iterator[Row]:
    """(e) 20 browsers' streams and history queries at work beside 200 clients at 1 Hz."""
    runs: dict[int, list[Row]] = {0: [], 20: []}
    for _ in range(bench.rounds):
        for count, kept in runs.items():
            port, http = free_port(), free_port()
            with bench.server(bench.aquila(port, http=http), port) as pid:
                data = bench.work / f"data{bench.folders}"
                with watching(data, http, count):
                    kept.append(bench.load(port, pid, pub=200, sub=0, rate=1))
    quiet, busy = (sorted(each, key=lambda run: run["p99_ms"])[len(each) // 2] for each in runs.values())
    ratio = busy["p99_ms"] / quiet["p99_ms"]
    yield {"what": "200 x 1 Hz, nobody looks", "run": figures(quiet)}
    row = {"what": "200 x 1 Hz, 20 screens and history queries (p99)", "run": figures(busy), "ratio": round(ratio, 2)}
    yield {**row, "goal": "<= 2", "holds": ratio <= 2}


@contextlib.contextmanager
def watching(data: Path, http: int, count: int) -> Iterator[None]:
    """That many screens on the stream, and one that asks for history without pause."""
    if not count:
        yield
        return
    made = subprocess.run(
        [str(BIN / "aquila"), "token", "bench", "--data", str(data)], capture_output=True, text=True, check=True
    )
    command = [
        "taskset",
        "-c",
        "1",
        sys.executable,
        str(HERE / "screens.py"),
        str(http),
        made.stdout.strip(),
        str(count),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise SystemExit("the screens did not connect")
        yield
    finally:
        process.kill()
        process.wait()


SCENARIOS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "a": thousand,
    "b": audiences,
    "c": flat_out,
    "d": deaf,
    "e": screens,
}

if __name__ == "__main__":
    sys.exit(main())
