"""The repository as a list of files."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = {".py", ".pyi", ".md", ".toml", ".ts", ".vue", ".json", ".html", ".css", ".txt", ".proto",
        ".cfg", ".yml", ".yaml", ".xml", ".sh", ".mjs", ".c", ".wire", ""}  # fmt: skip


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """Every file that is, or is about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.fixture(scope="session")
def texts(files: list[Path]) -> dict[Path, str]:
    """The text files among them, by path from the root."""
    return {
        path.relative_to(ROOT): path.read_text(encoding="utf-8", errors="replace")
        for path in files
        if path.suffix in TEXT and path.stat().st_size < 2_000_000
    }


@pytest.fixture(scope="session")
def dev() -> ModuleType:
    """dev.py as a module."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
