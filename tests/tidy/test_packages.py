"""What plugs in: each folder is complete, each entry point leads to it."""

from importlib.metadata import distribution
from pathlib import Path

import pytest

ENTRY_POINTS = [point for point in distribution("aquila").entry_points if point.group.startswith("aquila.")]


def folders(root: Path, kind: str) -> list[Path]:
    """The packages inside src/aquila/`kind`."""
    return sorted(path.parent for path in (root / "src/aquila" / kind).glob("*/__init__.py"))


def test_every_codec_says_what_it_carries_and_shows_it(root: Path) -> None:
    for folder in folders(root, "codecs"):
        assert (folder / "README.md").is_file(), f"{folder.name}: README.md is missing"
        assert any((folder / "vectors").glob("[!.]*")), f"{folder.name}: vectors/ is empty"


@pytest.mark.parametrize("point", ENTRY_POINTS, ids=lambda point: f"{point.group}:{point.name}")
def test_every_entry_point_leads_to_something_of_that_name(point) -> None:
    assert point.load().name == point.name


@pytest.mark.parametrize("kind", ["codecs", "features"])
def test_every_codec_and_feature_has_an_entry_point(root: Path, kind: str) -> None:
    # Sensor codecs have a group of their own: they are read only and told when the bytes came in.
    groups = {f"aquila.{kind}"} | ({"aquila.sensors"} if kind == "codecs" else set())
    named = {point.module.split(".")[2] for point in ENTRY_POINTS if point.group in groups}
    missing = {folder.name for folder in folders(root, kind)} - named
    assert not missing, f'[project.entry-points."aquila.{kind}"] lacks {missing}; then dev.py setup'
