"""The documents name what exists, and what exists is in the documents."""

import re
from pathlib import Path

import msgspec
import pytest

FOLDERS = {".ci", "bench", "docs", "scenarios", "src", "tests", "tools", "web"}
PATH = re.compile(r"`([\w./-]+\.(?:md|py|toml|ts|vue|json|lock)|[\w.-]+/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
MADE = {"THIRD_PARTY.txt", "node_modules/", "src/aquila/static", "src/aquila/static/"}


def documents(texts: dict[Path, str]) -> dict[Path, str]:
    """The project's own prose, without what a codec or data folder says of itself."""
    return {
        path: text
        for path, text in texts.items()
        if path.suffix == ".md" and (len(path.parts) == 1 or path.parts[0] == "docs")
    }


def test_files_named_in_the_documents_exist(texts: dict[Path, str], root: Path) -> None:
    bad = []
    for path, text in documents(texts).items():
        for name in PATH.findall(text):
            top = name.partition("/")[0]
            ours = top in FOLDERS if "/" in name else name[0].isupper()
            if ours and name not in MADE and not re.search(r"NNNN|NAME", name):
                if not (root / name).exists():
                    bad.append(f"{path}: `{name}`")
    assert not bad, "Mend the document or make the file:\n" + "\n".join(bad)


def test_links_between_documents_lead_somewhere(texts: dict[Path, str], root: Path) -> None:
    bad = [
        f"{path}: ({name})"
        for path, text in texts.items()
        if path.suffix == ".md"
        for name in LINK.findall(text)
        if not (root / path.parent / name).exists()
    ]
    assert not bad, "Dead links:\n" + "\n".join(bad)


def test_every_guide_is_in_the_index(root: Path) -> None:
    docs = root / "docs"
    there = {
        path.relative_to(docs).as_posix() for folder in ("guide", "formats") for path in (docs / folder).rglob("*.*")
    }
    named = set(LINK.findall((docs / "README.md").read_text(encoding="utf-8")))
    assert there - named == set(), "docs/README.md leads nobody there"


def test_every_decision_has_context_decision_and_consequences(root: Path) -> None:
    records = sorted((root / "docs/adr").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert numbers == list(range(1, len(numbers) + 1)), f"Number them without gaps: {numbers}"
    for path in records:
        text = path.read_text(encoding="utf-8")
        heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert heads == ["Context", "Decision", "Consequences"], f"{path.name}: {heads}"
        assert len(text.splitlines()) <= 60, f"{path.name}: a decision fits one page"


def test_every_setting_is_in_the_guide_and_none_besides(root: Path) -> None:
    config = pytest.importorskip("aquila.config")
    keys = {field.name for field in msgspec.structs.fields(config.Settings)}
    guide = (root / "docs/guide/settings.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
    assert keys - rows == set(), "docs/guide/settings.md lacks a row for these"
    assert rows - keys == set(), "docs/guide/settings.md has rows that are no setting"


def test_the_changelog_has_a_place_for_what_is_unreleased(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[Unreleased\]", text, re.MULTILINE)
