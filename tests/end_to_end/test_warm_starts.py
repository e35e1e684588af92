"""A start that is forked from a loaded process is a start of its own."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aquila.testing.served import FREE_PORTS, ServedNode, launched, wait_until
from aquila.testing.warm import VARIABLE, Forked, warmed


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with TemporaryDirectory(prefix="aquila-") as folder, warmed(Path(folder)) as path:
        monkeypatch.setenv(VARIABLE, path)
        yield path


def ends(said: Path, *words: str, **environ: str) -> tuple[int, str]:
    """Return code of a command, and what it said."""
    with said.open("wb") as file:
        process = launched(words, environ, file, file)
        assert isinstance(process, Forked)
        status = process.wait(60)
        assert process.poll() == status
    return status, said.read_text()


def test_words_environment_and_output_are_those_of_one_start(warm: str, tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "none"))
    status, said = ends(tmp_path / "one", "token", "ann", *data)
    assert status == 1
    assert f"aquila: {data[1]} holds no node" in said
    assert "unknown settings in the environment: nonsense" in ends(tmp_path / "two", "serve", AQUILA_NONSENSE="1")[1]
    status, said = ends(tmp_path / "three", "--help")
    assert status == 0
    assert "Usage" in said
    assert not (tmp_path / "none").exists()


def test_two_nodes_are_two_and_end_as_they_are_ended(warm: str, tmp_path: Path) -> None:
    one, two = (ServedNode(tmp_path / name).start() for name in ("one", "two"))
    assert one.process.pid != two.process.pid
    assert one.token != two.token
    one.kill()
    assert one.process.returncode == -9
    two.api.write_note(text="still here")
    two.stop()
    assert two.process.returncode == 0
    assert two.process.poll() == 0


def test_what_python_or_the_loader_is_told_needs_a_program_of_its_own(warm: str, tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as file:
        process = launched(["--help"], {"PYTHONHASHSEED": "0"}, file, file)
        assert not isinstance(process, Forked)
        assert process.wait(60) == 0


def test_nobody_is_left_behind(tmp_path: Path) -> None:
    with (
        TemporaryDirectory(prefix="aquila-") as folder,
        warmed(Path(folder)) as path,
        (tmp_path / "log").open("wb") as log,
    ):
        words = ["serve", "--data", str(tmp_path / "node"), *FREE_PORTS]
        process = Forked(path, words, os.environ, log.fileno(), log.fileno())
        wait_until((tmp_path / "node" / "ports.json").exists, "the node opens its doors", 60)
    wait_until(lambda: not Path(f"/proc/{process.pid}").exists(), "the node ends with whoever forked it")
    process.wait(10)
