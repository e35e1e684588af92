"""Aquila's two commands, and a few for those who work on it. Needs python3 (3.11+), pip, node, npm.

    python3 dev.py run [WORDS]      set up, build the page, start a node with the demo, print one
                                    link; WORDS go to `aquila serve` (--demo none, --data DIR ...)
    python3 dev.py test [WORDS]     everything that must hold; ends with `N passed, N failed`;
                                    WORDS go to pytest
        --long                      the slow tests too
        --install-browser           may install Debian's chromium when no browser is found

    python3 dev.py fix              format, sort imports, write generated files anew
    python3 dev.py bench [NAME]     one benchmark of bench/ (--json FILE writes its rows), or a list
    python3 dev.py wheel            dist/aquila-*.whl with the page inside
    python3 dev.py new codec NAME   a folder for a wire format, ready for its first vector

All is installed inside this folder, except what --install-browser (or CI=true) allows.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, NoReturn
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent
DEV = ROOT / ".dev"
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
EXE = ".exe" if WINDOWS else ""
DEMO = "snow-leopard+harbour"
PYTHON = getattr(sys, "_base_executable", sys.executable)
"""The Python below any virtual environment: the one that has pip."""
FOREIGN = frozenset({"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"})
"""Variables of the caller that the tools do not get. Images of containers often forbid bytecode, to be small."""


class Step(NamedTuple):
    """Something that is made once and again when its inputs change.

    Attributes:
        name: a word for the screen and the stamp.
        inputs: patterns of the files that it depends on.
        outputs: files that exist when it is done.
        make: does it.
        skip: says which matching files do not count as inputs.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[Path, ...]
    make: Callable[[], None]
    skip: Callable[[Path], bool] = lambda path: False


class Tally(NamedTuple):
    """How many checks passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        """The closing words of a test run."""
        words = f"{self.passed} passed, {self.failed} failed"
        return words + (f", {self.skipped} skipped" if self.skipped else "")


class Runner(NamedTuple):
    """One tool of `test`.

    Attributes:
        name: a word for the table at the end.
        command: what to run.
        report: where the tool writes its counts; None = it is one check by itself.
        read: reads that file.
        says: False = what it says is shown only when it failed.
    """

    name: str
    command: list[str]
    report: Path | None = None
    read: Callable[[Path], Tally] | None = None
    says: bool = True


# --- words -------------------------------------------------------------------------------------


def main(words: list[str]) -> int:
    """Do what the words say; the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - that is what the sentence is for
        stop(f"Aquila needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    # No match statement: an older Python has to get as far as the sentence above.
    word, rest = (words[0], words[1:]) if words else ("help", [])
    if word == "test" and {"-h", "--help"} & set(rest):
        return explain()
    if word in {"run", "test", "bench"}:
        return {"run": run, "test": test, "bench": bench}[word](rest)
    alone = {"setup": set_up, "page": page, "fix": fix, "wheel": wheel, "help": explain}
    if word in alone and not rest:
        return alone[word]()
    if word == "new" and len(rest) == 2 and rest[0] == "codec":
        return new_codec(rest[1])
    if word in {"-h", "--help"}:
        return explain()
    explain()
    stop(f"dev.py does not know these words: {' '.join(words)}")


def explain() -> int:
    """Say what there is."""
    print(__doc__)
    return 0


def run(words: list[str]) -> int:
    """Start a node; without other words it plays the demo."""
    set_up()
    if not any(word.partition("=")[0] in {"--demo", "--config", "--help"} for word in words):
        words = [*words, "--demo", DEMO]
    command = [tool("aquila"), "serve", *words]
    if WINDOWS:
        return call(command)
    # The node takes this process over, so that Ctrl-C and signals reach it and nobody else.
    sys.stdout.flush()
    os.execve(command[0], command, environment())  # noqa: S606 - that is the point


def test(words: list[str]) -> int:
    """Run every runner, also after one has failed; the last line says the sum."""
    own = {"--long", "--install-browser"}
    to_pytest = [word for word in words if word not in own]
    if "--long" in words:
        to_pytest += ["-m", ""]
    may_install = "--install-browser" in words or os.environ.get("CI") == "true"
    browser = find_browser(may_install=may_install)
    make_ready(uv_step(), python_step(), packages_step())
    env = environment() | {"AQUILA_BROWSER": browser}

    began = time.monotonic()
    *lanes, last = runners(to_pytest)
    rows = [*in_lanes(lanes, env), *(time_it(runner, env) for runner in last)]
    print()
    for name, tally, seconds in rows:
        print(f"  {name:12} {tally!s:40} {seconds:7.1f} s")
    print(f"  {'all':12} {'':40} {time.monotonic() - began:7.1f} s\n")
    total = Tally(*(sum(column) for column in zip(*(tally for _, tally, _ in rows), strict=True)))
    print(total, flush=True)
    return 1 if total.failed else 0


def fix() -> int:
    """Format and sort; write the generated files anew; bring the packages that a pull has locked."""
    make_ready(uv_step(), python_step(), packages_step())
    return max(
        call([tool("ruff"), "check", "--fix", "--exit-zero", "-q", "."]),
        call([tool("ruff"), "format", "."]),
        call([tool("python"), "tools/third_party.py"]),
        call([tool("python"), "tools/generate_clients.py"]),
    )


def wheel() -> int:
    """Build the source archive and the wheel."""
    make_ready(uv_step())
    return call([uv(), "build", "--out-dir", "dist"])


def new_codec(name: str) -> int:
    """Make the folder and the entry point, and install it."""
    make_ready(uv_step(), python_step())
    status = call([tool("python"), "tools/new_codec.py", name])
    make_ready(python_step())
    return status


def bench(words: list[str]) -> int:
    """Run one benchmark, or say which there are."""
    found = {path.stem: path for path in sorted((ROOT / "bench").glob("*.py")) if path.stem[0] != "_"}
    if not words:
        for name, path in found.items():
            first = path.read_text(encoding="utf-8").lstrip('"').partition("\n")[0]
            print(f"  {name:16} {first.strip(chr(34))}")
        return 0
    if words[0] not in found:
        stop(f"No benchmark is called {words[0]}; there are: {', '.join(found) or 'none'}.")
    make_ready(uv_step(), python_step(), bench_step(), packages_step(), page_step())
    return call([tool("python"), str(found[words[0]]), *words[1:]])


# --- the checks of `test` ----------------------------------------------------------------------


def runners(to_pytest: list[str]) -> Iterator[list[Runner]]:
    """What `test` runs: lanes that go beside each other, and at last what wants the whole machine, and the page."""
    reports = DEV / "test"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    junit, vitest = reports / "pytest.xml", reports / "vitest.json"
    pytest = [tool("python"), "-m", "pytest"]
    yield [
        Runner("ruff", [tool("ruff"), "check", "."]),
        Runner("ruff format", [tool("ruff"), "format", "--check", "."]),
        Runner("imports", [tool("lint-imports"), "--no-logo"]),
        Runner("mypy", [tool("mypy")]),
        # Compiles 2,600 modules and the tests while a core is free; else each of pytest's workers does that for itself.
        Runner("collect", [*pytest, "--collect-only", "-qqq", *to_pytest], says=False),
    ]
    reporters = ["--reporter=default", "--reporter=json", f"--outputFile.json={vitest}"]
    yield [
        Runner("page", [PYTHON, __file__, "page"]),
        Runner("tsc", [npm(), "run", "--silent", "typecheck"]),
        Runner("vitest", [npm(), "exec", "--", "vitest", "run", *reporters], vitest, read_vitest),
    ]
    command = [*pytest, "-q", f"--junitxml={junit}", *side_by_side(to_pytest), *to_pytest]
    yield [Runner("pytest", command, junit, read_pytest)]


def in_lanes(lanes: list[list[Runner]], env: dict[str, str]) -> list[tuple[str, Tally, float]]:
    """Run lanes beside each other, each from its first runner to its last: most of them use one core."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        rows = pool.map(lambda lane: [time_it(runner, env, at_once=False) for runner in lane], lanes)
        return [row for lane in rows for row in lane]


def side_by_side(to_pytest: list[str]) -> list[str]:
    """Words that give workers, one more than cores, their own files; none when the user says how, or debugs."""
    if any(word.startswith(("-n", "--numprocesses", "--dist", "--pdb", "-s")) for word in to_pytest):
        return []
    # Half of the time of a test is waiting for processes: one worker more than there are cores. The order is that of
    # tests/conftest.py, which mixes slow files with quick ones.
    return ["-n", str(min(4, (os.cpu_count() or 1) + 1)), "--dist", "loadfile", "--no-loadscope-reorder"]


def time_it(runner: Runner, env: dict[str, str], *, at_once: bool = True) -> tuple[str, Tally, float]:
    """Run one runner; its name, its counts, its seconds. What it says is shown at once, or in one piece at its end."""
    began = time.monotonic()
    status = call(runner.command, env) if at_once else call_apart(runner.command, env, says=runner.says)
    if runner.report is None or runner.read is None:
        tally = Tally(failed=1) if status else Tally(passed=1)
    else:
        tally = runner.read(runner.report) if runner.report.exists() else Tally()
        if status and not tally.failed:
            # It broke before or after its tests: that is a failure nobody else counts.
            tally = tally._replace(failed=1)
    return runner.name, tally, time.monotonic() - began


def read_pytest(report: Path) -> Tally:
    """Counts of a JUnit file; a test that failed twice (body and teardown) counts once."""
    cases: dict[tuple[str | None, str | None], str] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        which = (case.get("classname"), case.get("name"))
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            cases[which] = "failed"
        else:
            cases.setdefault(which, "skipped" if "skipped" in kinds else "passed")
    ends = list(cases.values())
    return Tally(ends.count("passed"), ends.count("failed"), ends.count("skipped"))


def read_vitest(report: Path) -> Tally:
    """Counts of vitest's JSON; a file that does not even load counts as one failure."""
    told = json.loads(report.read_text(encoding="utf-8"))
    broken = sum(result["status"] == "failed" and not result["assertionResults"] for result in told["testResults"])
    return Tally(
        told["numPassedTests"],
        told["numFailedTests"] + broken,
        told["numPendingTests"] + told["numTodoTests"],
    )


# --- set-up ------------------------------------------------------------------------------------


def set_up() -> int:
    """Everything that a node needs."""
    make_ready(uv_step(), python_step(), packages_step(), page_step())
    return 0


def page() -> int:
    """The page alone: a check of `test`, which wants to go on when it fails."""
    make_ready(page_step())
    return 0


def uv_step() -> Step:
    """Uv, by pip into a folder of its own: needs no venv module and passes on managed Pythons."""

    def make() -> None:
        fresh = DEV / "uv.new"
        shutil.rmtree(fresh, ignore_errors=True)
        env = environment() | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
        pip = [PYTHON, "-m", "pip"]
        if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
            stop(f"{PYTHON} has no pip. On Debian: apt-get install python3-pip")
        quiet = ["-q", "--disable-pip-version-check", "--root-user-action=ignore"]
        must([*pip, "install", *quiet, "--target", str(fresh), "uv>=0.9,<1"], env)
        shutil.rmtree(DEV / "uv", ignore_errors=True)
        fresh.rename(DEV / "uv")

    return Step("uv", (), (Path(uv()),), make)


def python_step() -> Step:
    """The Python packages of the lock file, and Aquila itself, editable."""
    return Step(
        "Python packages",
        ("pyproject.toml", "uv.lock", "hatch_build.py"),
        (Path(tool("python")), Path(tool("aquila")), Path(tool("pytest"))),
        lambda: must([uv(), "sync", "-q", "--locked", "--python", PYTHON]),
    )


def bench_step() -> Step:
    """The peers that bench/ measures against."""
    return Step(
        "peers of the benchmarks",
        ("pyproject.toml", "uv.lock"),
        (Path(tool("taky")),),
        lambda: must([uv(), "sync", "-q", "--locked", "--group", "bench", "--python", PYTHON]),
    )


def packages_step() -> Step:
    """The web packages of the lock file."""
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    return Step(
        "web packages",
        ("package.json", "package-lock.json"),
        (ROOT / "node_modules/.package-lock.json", ROOT / "node_modules/vite/package.json"),
        lambda: must([npm(), "ci", *quiet]),
    )


def page_step() -> Step:
    """The page, as the node serves it. Types are the business of `test`, not of `run`."""
    return Step(
        "page",
        (
            "web/**/*",
            "src/aquila/features/*/web/**/*",
            "package.json",
            "package-lock.json",
            "tsconfig.json",
            "vite.config.ts",
        ),
        (ROOT / "src/aquila/static/index.html",),
        lambda: must([npm(), "exec", "--", "vite", "build", "--logLevel", "error"]),
        skip=lambda path: path.name.endswith(".test.ts"),
    )


def make_ready(*steps: Step) -> None:
    """Do those steps whose inputs changed or whose outputs are gone, one dev.py at a time."""
    DEV.mkdir(exist_ok=True)
    with locked(DEV / "lock"):
        for step in steps:
            stamp = DEV / f"{step.name.replace(' ', '-')}.stamp"
            digest = digest_of(step)
            if stamp.exists() and stamp.read_text() == digest and all(output.exists() for output in step.outputs):
                continue
            stamp.unlink(missing_ok=True)
            began = time.monotonic()
            print(f"{step.name} ... (seconds, on a busy machine up to two minutes)", flush=True)
            step.make()
            gone = [output.name for output in step.outputs if not output.exists()]
            if gone:
                stop(f"Making the {step.name} left no {' and no '.join(gone)}.")
            print(f"{step.name}: {time.monotonic() - began:.1f} s", flush=True)
            stamp.write_text(digest)


def digest_of(step: Step) -> str:
    """SHA-256 over names and contents of a step's inputs, this place and this Python."""
    digest = hashlib.sha256(f"{ROOT}\0{PYTHON}\0{sys.version}".encode())
    for path in input_files(step):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\0{path.relative_to(ROOT).as_posix()}\0{content}".encode())
    return digest.hexdigest()


def input_files(step: Step) -> Iterable[Path]:
    """The files that a step depends on, in a fixed order."""
    found = {path for pattern in step.inputs for path in ROOT.glob(pattern)}
    return sorted(path for path in found if path.is_file() and not step.skip(path))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file lock, where the system has them."""
    if WINDOWS:
        yield
        return
    import fcntl

    with path.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another dev.py to finish its set-up ...", flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


# --- the browser -------------------------------------------------------------------------------


def find_browser(*, may_install: bool) -> str:
    """Path of a Chromium: AQUILA_BROWSER, an installed one, Playwright's, or Debian's if allowed."""
    named = os.environ.get("AQUILA_BROWSER")
    if named:
        return shutil.which(named) or stop(f"AQUILA_BROWSER names {named}, which is no program.")
    found = installed_browser() or playwright_browser()
    if not found and may_install and shutil.which("apt-get"):
        print("No browser: installing Debian's chromium ...", flush=True)
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        env = environment() | {"DEBIAN_FRONTEND": "noninteractive"}
        must([*root, "apt-get", "update", "-qq"], env)
        must([*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], env)
        found = installed_browser()
    return found or stop(
        "The browser tests need Chromium or Chrome: install one, or name it in AQUILA_BROWSER, "
        "or say `python3 dev.py test --install-browser` to install Debian's chromium."
    )


def installed_browser() -> str | None:
    """A Chromium or Chrome on the path."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def playwright_browser() -> str | None:
    """The newest Chromium that Playwright has downloaded on some earlier day."""
    folders = [
        Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright"),
        Path.home() / "Library/Caches/ms-playwright",
    ]
    patterns = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
    found = [path for folder in folders for pattern in patterns for path in folder.glob(pattern)]
    return str(max(found, key=lambda path: path.stat().st_mtime)) if found else None


# --- small things ------------------------------------------------------------------------------


def uv() -> str:
    """Path of uv."""
    return str(DEV / "uv/bin" / f"uv{EXE}")


def tool(name: str) -> str:
    """Path of a program of the environment."""
    return str(BIN / f"{name}{EXE}")


def npm() -> str:
    """Path of npm, once node is known to be new enough."""
    node, found = shutil.which("node"), shutil.which("npm")
    if node is None or found is None:
        stop("The page needs Node 20.19 or newer with npm: neither may be missing on the path.")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", told)[:2])
    if version < (20, 19):
        stop(f"The page needs Node 20.19 or newer; this is {told.strip() or 'unknown'}.")
    return found


def environment() -> dict[str, str]:
    """Variables for the tools: this folder's environment first, nobody else's."""
    env = {name: text for name, text in os.environ.items() if name not in FOREIGN}
    env["PATH"] = os.pathsep.join([str(BIN), env.get("PATH", "")])
    env["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    # A too old Python is told so, in place of a download that a closed network refuses.
    env["UV_PYTHON_DOWNLOADS"] = "never"
    # A node has 1,600 modules: each process that compiles them anew starts with two and a half more processor seconds,
    # and the tests start hundreds.
    env["PYTHONPYCACHEPREFIX"] = str(DEV / "bytecode")
    return env


def call(command: list[str], env: dict[str, str] | None = None) -> int:
    """Show a command, run it in the repository, give its exit status."""
    print(shown(command), flush=True)
    return subprocess.run(command, cwd=ROOT, env=env or environment(), check=False).returncode


def call_apart(command: list[str], env: dict[str, str], *, says: bool = True) -> int:
    """The same for commands that run beside others: what they say is not mixed, and shown of a failure at least."""
    done = subprocess.run(
        command, cwd=ROOT, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
    )
    print(f"{shown(command)}\n{done.stdout if says or done.returncode else ''}", end="", flush=True)
    return done.returncode


def shown(command: list[str]) -> str:
    """A command as the screen shows it."""
    return " ".join(["+", *(word.removeprefix(f"{ROOT}{os.sep}") for word in command)])


def must(command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a command without which nothing else makes sense."""
    status = call(command, env)
    if status:
        stop(f"{Path(command[0]).name} failed (exit status {status}): its own words stand above.")


def stop(sentence: str) -> NoReturn:
    """End with a sentence that says what to do."""
    print(sentence, file=sys.stderr, flush=True)
    sys.exit(1)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
