"""What every test shares: how hypothesis searches, where the browser is, whole nodes."""

import gc
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from aquila.testing.served import Serve, ServedNode
from aquila.testing.warm import VARIABLE, warmed

# The same cases on every run and machine: a red test is a finding, never bad luck. Deadlines
# would make a slow machine fail.
settings.register_profile("aquila", derandomize=True, deadline=None, database=None)
settings.load_profile("aquila")


def pytest_configure() -> None:
    """Let the nodes and commands of the tests keep bytecode, as `dev.py test` does: without it each start of a node
    compiles 1,500 modules anew and takes twice the time. Images of containers often forbid it, to be small."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Nearly all that is made while tests are collected stays: to look for what does not takes a tenth of that time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def warm_starts(request: pytest.FixtureRequest) -> Iterator[None]:
    """A worker of the whole suite forks its hundred nodes from one process; a file that runs alone starts each anew."""
    if not hasattr(request.config, "workerinput"):
        yield
        return
    # Not pytest's own folder: the name of a socket has some hundred signs.
    with (
        TemporaryDirectory(prefix="aquila-") as folder,
        warmed(Path(folder)) as path,
        pytest.MonkeyPatch.context() as at,
    ):
        at.setenv(VARIABLE, path)
        yield


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Path of a Chromium, found by `dev.py test`."""
    path = os.environ.get("AQUILA_BROWSER")
    if not path:
        pytest.fail("No browser: run `python3 dev.py test`, or set AQUILA_BROWSER to a Chromium.")
    return path


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[ServedNode]:
    """One node for every test of a module that does not stop it."""
    before = request.session.testsfailed
    process = ServedNode(tmp_path_factory.mktemp("node") / "data")
    try:
        yield process.start()
    finally:
        process.stop()
        if request.session.testsfailed > before:
            show_log(process)


@pytest.fixture
def serve(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Starts nodes that live as long as one test."""
    started: list[ServedNode] = []

    def start(name: str = "data", *words: str, **environ: str) -> ServedNode:
        started.append(ServedNode(tmp_path / name, *words, environ=environ))
        return started[-1].start()

    before = request.session.testsfailed
    yield start
    for process in started:
        process.stop()
        if request.session.testsfailed > before:
            show_log(process)


def show_log(process: ServedNode) -> None:
    """The end of a node's log, for the report of a failed test."""
    sys.stderr.write(f"--- log of {process.data.name}\n{process.log.read_text()[-4000:]}\n")


BROWSER_UNTIL = 0.85
"""Files of the browser are spread over this part of a run: beside each other they are slow, at the end one is alone.
Those with many tests come first, so that no long one is the last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the files that draw with those that do not; within a file the order stays."""
    files = Counter(item.path for item in items)
    drawing = [path for path, _ in files.most_common() if path.parent.name == "browser"]
    others = [path for path in files if path.parent.name != "browser"]
    place = {path: BROWSER_UNTIL * number / len(drawing) for number, path in enumerate(drawing)}
    place |= {path: number / len(others) for number, path in enumerate(others)}
    items.sort(key=lambda item: place[item.path])
