"""House rules that no linter knows. Each failure names the place and what to do."""

import ast
import re
from pathlib import Path

AVOIDED = {
    "common", "controller", "data", "handler", "handlers", "helper", "helpers", "info", "item",
    "items", "manager", "message", "messages", "misc", "object", "objects", "process", "service",
    "services", "util", "utils",
}  # fmt: skip
LARGEST_MB = 12
LOCKS = {"uv.lock", "package-lock.json"}

# Written in pieces, so that this file does not find itself.
PLACES = re.compile(
    r"(?<![\w.])/(?:work|root|tmp/s|home/\w+)/" + r"|\.\./" + r"shared\b" + r"|\.lib" + r"rary/"
    r"|farm-(?:ben" + r"ch|stud" + r"io)"
)
REGISTRIES = re.compile(
    r"\b(?:pypi\." + r"org|pythonhosted\." + r"org|npmjs\." + r"(?:org|com)|deb\.debian\." + r"org)"
)


def test_modules_are_named_by_the_glossary(files: list[Path], root: Path) -> None:
    bad = [
        str(path.relative_to(root))
        for path in files
        if path.suffix in {".py", ".ts", ".vue"}
        and {"src", "web", "tools"} & {path.relative_to(root).parts[0]}
        and AVOIDED & set(re.split(r"[_\W]+|(?<=[a-z])(?=[A-Z])", path.stem.lower()))
    ]
    assert not bad, f"GLOSSARY.md says which words to avoid, and what to use: {bad}"


def test_no_text_names_the_machine_it_was_written_on(texts: dict[Path, str]) -> None:
    bad = [
        f"{path}:{number}: {found[0]}"
        for path, text in texts.items()
        if path.name not in LOCKS
        for number, line in enumerate(text.splitlines(), 1)
        if (found := PLACES.search(line))
    ]
    assert not bad, "Say it relative to the repository:\n" + "\n".join(bad)


def test_no_text_names_a_package_registry(texts: dict[Path, str]) -> None:
    bad = [
        f"{path}: {found[0]}"
        for path, text in texts.items()
        if path.name not in LOCKS and (found := REGISTRIES.search(text))
    ]
    assert not bad, "Which registry is used is the business of whoever installs:\n" + "\n".join(bad)


def test_no_file_is_larger_than_a_clone_can_bear(files: list[Path], root: Path) -> None:
    bad = [
        f"{path.relative_to(root)}: {path.stat().st_size / 1e6:.1f} MB"
        for path in files
        if path.stat().st_size > LARGEST_MB * 1_000_000
    ]
    assert not bad, f"At most {LARGEST_MB} MB a file: {bad}"


def test_broad_handlers_raise_again_or_stand_at_named_boundaries(texts: dict[Path, str]) -> None:
    bad = [
        f"{path}:{handler.lineno}: {lines[handler.lineno - 1].strip()}"
        for path, text in texts.items()
        if path.suffix == ".py" and path.parts[0] == "src"
        for lines in [text.splitlines()]
        for handler in ast.walk(ast.parse(text))
        if isinstance(handler, ast.ExceptHandler)
        and BROAD & names_in(handler.type)
        and not (isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None)
        and not re.search(r"#.*\bboundary\b", lines[handler.lineno - 1])
    ]
    assert not bad, (
        "Catch what can be mended here; at the edge of a task or thread say `# boundary: WHY` on the line:\n"
        + "\n".join(bad)
    )


BROAD = {"Exception", "BaseException"}


def names_in(expression: ast.expr | None) -> set[str]:
    """The exceptions that a handler names; a bare one catches all."""
    if expression is None:
        return BROAD
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def test_a_task_that_waits_for_long_can_be_ended(texts: dict[Path, str]) -> None:
    # Python 3.11's asyncio.wait_for forgets that it was cancelled when what it waited for came in the same turn.
    found = [str(path) for path, text in texts.items() if "src" in path.parts and "asyncio.wait_for(" in text]
    assert not found, f"{found}: wait in `async with asyncio.timeout(...)`"


COLON = re.compile(r"\}\}(?:</\w+>)?: |</template>: |\$\{[^{}]*\}: |`: \$\{|join\([\'\"]: [\'\"]\)")
"""A colon of our own behind what stands in a gap."""
FOR_PROGRAMS = {"frame.ts"}
"""What it says is in the log of the browser, in English."""


def test_the_page_joins_a_name_and_a_value_by_its_catalogue(root: Path) -> None:
    pages = [path for path in (root / "web" / "src").rglob("*.*") if path.suffix in {".vue", ".ts"}]
    bad = [
        f"{path.relative_to(root)}:{number}: {found[0]}"
        for path in pages
        if path.name not in FOR_PROGRAMS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (found := COLON.search(line))
    ]
    assert len(pages) > 100
    assert not bad, "French writes a space before its colon: use joined() or colon() of acts/said:\n" + "\n".join(bad)
