"""dev.py: the sum of `test`, and when a set-up step is done again."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import new_codec
import pytest

from aquila.app.harbour_demo import HARBOUR
from aquila.simulator import scenario


@pytest.fixture
def checkout(dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout that dev.py takes for its own."""
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "DEV", tmp_path / ".dev")
    return tmp_path


def test_a_test_that_fails_twice_counts_once(dev: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "pytest.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a" name="ok"/>'
        '<testcase classname="a" name="bad"><failure/></testcase>'
        '<testcase classname="a" name="bad"><error/></testcase>'
        '<testcase classname="a" name="off"><skipped/></testcase></testsuite></testsuites>'
    )
    assert dev.read_pytest(report) == (1, 1, 1)


def test_a_web_test_file_that_does_not_load_counts_as_failed(dev: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "vitest.json"
    told = {
        "numPassedTests": 4,
        "numFailedTests": 1,
        "numPendingTests": 1,
        "numTodoTests": 1,
        "testResults": [
            {"status": "failed", "assertionResults": [{}]},
            {"status": "failed", "assertionResults": []},
        ],
    }
    report.write_text(json.dumps(told))
    assert dev.read_vitest(report) == (4, 2, 2)


def test_what_one_process_compiles_the_next_one_finds(
    dev: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (checkout / "once.py").write_text("")
    assert dev.call([sys.executable, "-c", "import once"]) == 0
    assert [each.name.partition(".")[0] for each in (checkout / ".dev").rglob("once.*.pyc")] == ["once"]


@pytest.mark.parametrize(("status", "sum_"), [(0, (1, 0, 0)), (3, (0, 1, 0))])
def test_a_linter_is_one_check(dev: ModuleType, status: int, sum_: tuple[int, ...]) -> None:
    runner = dev.Runner("lint", [sys.executable, "-c", f"raise SystemExit({status})"])
    assert dev.time_it(runner, dev.environment())[1] == sum_


def test_a_runner_that_breaks_without_a_report_is_a_failure(dev: ModuleType, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit(4)"]
    runner = dev.Runner("pytest", command, tmp_path / "none.xml", dev.read_pytest)
    assert dev.time_it(runner, dev.environment())[1] == (0, 1, 0)


def test_lanes_run_beside_each_other_and_what_each_says_stays_together(
    dev: ModuleType, checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def runner(name: str, *lines: str) -> object:
        return dev.Runner(
            name, [sys.executable, "-uc", "\n".join(["import sys, pathlib", "from time import sleep", *lines])]
        )

    def meet(mine: str, others: str) -> str:
        # Each waits until the other is there.
        return f"pathlib.Path({mine!r}).touch()\nwhile not pathlib.Path({others!r}).exists(): sleep(0.01)"

    said = "print('first of {0}')\n{1}\nprint('second of {0}')"
    lanes = [
        [runner("a", said.format("a", meet("a", "c"))), runner("b", "sys.exit(2)")],
        [runner("c", said.format("c", meet("c", "a")))],
    ]
    rows = dev.in_lanes(lanes, dev.environment())
    assert [(name, tally.failed) for name, tally, _ in rows] == [("a", 0), ("b", 1), ("c", 0)]
    out = capfd.readouterr().out
    assert "first of a\nsecond of a\n" in out
    assert "first of c\nsecond of c\n" in out


@pytest.mark.parametrize(("status", "shown"), [(0, False), (1, True)])
def test_what_has_nothing_to_say_is_heard_when_it_fails(
    dev: ModuleType, checkout: Path, capfd: pytest.CaptureFixture[str], status: int, shown: bool
) -> None:
    command = [sys.executable, "-c", f"print('a ' + 'list'); raise SystemExit({status})"]
    dev.in_lanes([[dev.Runner("list", command, says=False)]], dev.environment())
    assert ("a list" in capfd.readouterr().out) == shown


def test_the_last_line_names_what_was_skipped_only_if_something_was(dev: ModuleType) -> None:
    assert str(dev.Tally(3, 1, 0)) == "3 passed, 1 failed"
    assert str(dev.Tally(3, 0, 2)) == "3 passed, 0 failed, 2 skipped"


def test_a_step_is_done_again_when_an_input_or_its_output_changes(dev: ModuleType, checkout: Path) -> None:
    done = []
    output = checkout / "out"

    def make() -> None:
        done.append(len(done))
        output.touch()

    step = dev.Step("thing", ("in/*",), (output,), make)
    (checkout / "in").mkdir()
    (checkout / "in/a").write_text("one")
    (checkout / "in/b").write_text("two")
    dev.make_ready(step)
    dev.make_ready(step)
    assert len(done) == 1, "nothing changed"

    (checkout / "in/a").write_text("one" + "tw")
    (checkout / "in/b").write_text("o")
    dev.make_ready(step)
    assert len(done) == 2, "text moved from one file to the next"

    (checkout / "in/b").rename(checkout / "in/c")
    dev.make_ready(step)
    assert len(done) == 3, "a file has another name"

    output.unlink()
    dev.make_ready(step)
    assert len(done) == 4, "the output is gone"


def test_a_step_that_makes_nothing_is_not_taken_for_done(dev: ModuleType, checkout: Path) -> None:
    step = dev.Step("thing", (), (checkout / "out",), lambda: None)
    for _ in range(2):
        with pytest.raises(SystemExit):
            dev.make_ready(step)


def test_without_a_browser_and_without_leave_it_says_what_to_do(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AQUILA_BROWSER", raising=False)
    monkeypatch.setattr(dev, "installed_browser", lambda: None)
    monkeypatch.setattr(dev, "playwright_browser", lambda: None)
    with pytest.raises(SystemExit):
        dev.find_browser(may_install=False)
    assert "--install-browser" in capsys.readouterr().err


def test_the_demo_that_run_asks_for_is_shipped(dev: ModuleType) -> None:
    assert set(dev.DEMO.split("+")) <= {*scenario.names(), HARBOUR}


def test_unknown_words_are_refused_with_the_list_of_known_ones(root: Path) -> None:
    told = subprocess.run([sys.executable, root / "dev.py", "frobnicate"], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "frobnicate" in told.stderr
    assert "dev.py run" in told.stdout


def test_a_new_codec_has_a_folder_and_an_entry_point(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[project]\n\n{new_codec.GROUP}\n[tool.x]\na = 1\n")
    new_codec.new_codec(tmp_path, "sea-plot")
    folder = tmp_path / "src/aquila/codecs/sea_plot"
    assert {path.name for path in folder.iterdir()} == {
        "__init__.py", "wire.py", "README.md", "vectors",
    }  # fmt: skip
    for source in folder.glob("*.py"):
        compile(source.read_text(), source, "exec")
    assert 'sea-plot = "aquila.codecs.sea_plot:codec"' in (tmp_path / "pyproject.toml").read_text()
    with pytest.raises(ValueError, match="exists already"):
        new_codec.new_codec(tmp_path, "sea-plot")
    with pytest.raises(ValueError, match="no name for a codec"):
        new_codec.new_codec(tmp_path, "../out")
