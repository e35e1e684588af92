"""Builds the page and the notices into the wheel: an installed Aquila needs no node."""

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageAndNotices(BuildHookInterface):  # type: ignore[type-arg]  # hatchling finds it by its base
    """Runs before a wheel is packed; an editable install and an sdist need neither."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build `src/aquila/static` and add THIRD_PARTY.txt.

        Raises:
            RuntimeError: npm is missing, or the build left no page.
        """
        # Hooks run once per target, so the sdist comes by here as well.
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("npm is missing: building the page needs Node 20.19 or newer.")
        npm_ci = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm_ci, cwd=root, check=True)
        subprocess.run([npm, "run", "build"], cwd=root, check=True)
        if not (root / "src/aquila/static/index.html").is_file():
            raise RuntimeError("The web build left no src/aquila/static/index.html.")

        notices = self._notices()
        notices.parent.mkdir(parents=True, exist_ok=True)
        notices.write_text(load(root / "tools/third_party.py").notices(root), encoding="utf-8")
        build_data["force_include"][str(notices)] = "aquila/THIRD_PARTY.txt"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing but the wheel."""
        self._notices().unlink(missing_ok=True)

    def _notices(self) -> Path:
        return Path(self.directory) / "THIRD_PARTY.txt"


def load(path: Path) -> ModuleType:
    """The module in one file; hatchling does not put the repository on the path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
