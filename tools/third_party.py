"""Third-party licences: what both lock files bring, what each says of itself, what is allowed.

`third_party.toml` keeps what every package says of itself, so that a new dependency or a changed
licence shows up in a review. `python tools/third_party.py` writes it anew (`dev.py fix` calls that).
Standard library only: the build of the wheel uses it where nothing else is installed.
"""

import json
import re
import sys
import tomllib
from collections import deque
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, NamedTuple

RECORD = "third_party.toml"
UNKNOWN = "unknown"
TEXTS = r"LICEN[CS]E|COPYING|NOTICE|ATTRIBUTION"
"""How files with licence texts begin."""

SHIPPED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BlueOak-1.0.0",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "OFL-1.1",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    }
)
"""Licences of what reaches a user: permissive ones only."""

TOOLS = SHIPPED | {"CC-BY-4.0", "LGPL-2.1-or-later", "LGPL-3.0-or-later", "MPL-2.0", "Python-2.0"}
"""Licences of what only developers run; weak copyleft does no harm there."""

EXCEPTIONS = {
    # Litestar brings httpx, which brings the list of root certificates. It is installed unmodified
    # beside Aquila, never inside it, and the node opens no connection with it.
    "certifi": "MPL-2.0",
}
"""Packages that reach a user under a licence that is not in SHIPPED, each with its reason."""

WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    # apsw's "any-OSI" lets the user choose; its documentation names the zlib licence first.
    "any-OSI": "Zlib",
}
"""Older spellings -> SPDX."""

READ = {"mgrs": "MIT", "numba": "BSD-2-Clause", "scipy": "BSD-3-Clause"}
"""Packages whose metadata names no licence clearly: somebody has read the text that they bring."""


class Package(NamedTuple):
    """One package of a lock file.

    Attributes:
        name: as the lock file spells it.
        version: as locked.
        licence: SPDX expression as the package says it; None = it does not say.
        shipped: reaches a user, at run time or inside the page.
    """

    name: str
    version: str
    licence: str | None
    shipped: bool


def web_packages(root: Path) -> list[Package]:
    """Every package of package-lock.json; those of `dependencies` may be inside the page."""
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    return [
        Package(
            path.rpartition("node_modules/")[2],
            entry["version"],
            entry.get("license"),
            shipped=not entry.get("dev", False),
        )
        for path, entry in sorted(lock["packages"].items())
        if path
    ]


def locked_python(root: Path) -> Iterator[tuple[str, str, bool]]:
    """Name, versions and whether it is needed at run time, of every Python package of `test`."""
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    # A name may be locked in several versions, one for each range of Pythons.
    packages: dict[str, list[Any]] = {}
    for package in lock["package"]:
        packages.setdefault(package["name"], []).append(package)
    (own,) = packages["aquila"]
    run_time = _closure(packages, own["dependencies"])
    tools = _closure(packages, own["dev-dependencies"]["dev"])
    for name in sorted((run_time | tools) - {"aquila"}):
        yield name, " or ".join(p["version"] for p in packages[name]), name in run_time


def python_packages(root: Path) -> list[Package]:
    """Every locked Python package with the licence that the installed one says it has.

    A package that this machine does not install (another platform's) keeps what the record says.
    """
    record = read_record(root)
    found = []
    for name, version, run_time in locked_python(root):
        try:
            licence = declared(name)
        except PackageNotFoundError:
            licence = record.get(name)
        found.append(Package(name, version, licence, shipped=run_time))
    return found


def declared(name: str) -> str | None:
    """SPDX expression out of an installed package's metadata; None = it names none that is known.

    Raises:
        PackageNotFoundError: it is not installed here.
    """
    about = metadata(name)
    for expression in about.get_all("License-Expression") or []:
        return str(expression)
    classifiers = [
        line.rpartition("::")[2].strip() for line in about.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    # Some packages put the whole text of the licence here; its first line names it.
    texts = [str(text).strip().partition("\n")[0] for text in about.get_all("License") or []]
    spelled = [WORDS.get(words, words) for words in [*texts, *classifiers]]
    return next((words for words in spelled if _parts(words) <= TOOLS), READ.get(name))


def refusal(package: Package) -> str | None:
    """Why this package may not come in, as a sentence; None = it may."""
    allowed = SHIPPED if package.shipped else TOOLS
    what = f"{package.name} {package.version}"
    if package.licence is None:
        return f"{what} names no licence: read it, then enter it in {RECORD} or leave it out."
    if EXCEPTIONS.get(package.name) == package.licence:
        return None
    if may(package.licence, allowed):
        return None
    use = "reaches users" if package.shipped else "is a developer's tool"
    return (
        f"{what} {use} and is under {package.licence}; allowed are {', '.join(sorted(allowed))}: "
        f"leave it out, or add an exception with its reason to tools/third_party.py."
    )


def may(licence: str, allowed: frozenset[str] | set[str]) -> bool:
    """Whether an SPDX expression is met by allowed licences: every part of an AND, any of an OR."""
    words = licence.replace("(", " ").replace(")", " ")
    return any(
        all(part.split(" WITH ")[0].strip() in allowed for part in re.split(r"\s+AND\s+", choice))
        for choice in re.split(r"\s+OR\s+", words)
    )


def read_record(root: Path) -> dict[str, str]:
    """What `third_party.toml` says: name -> licence, of Python packages that reach a user."""
    path = root / RECORD
    if not path.exists():
        return {}
    record = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: str(licence) for name, licence in record.items() if licence != UNKNOWN}


def write_record(root: Path) -> None:
    """Write `third_party.toml` from what is locked and installed."""
    lines = [
        "# What each Python package that Aquila runs with says of its licence. Written by",
        "# `python3 dev.py fix`; kept under review because a changed licence must be seen.",
        *(f'{package.name} = "{package.licence or UNKNOWN}"' for package in python_packages(root) if package.shipped),
    ]
    (root / RECORD).write_text("\n".join(lines) + "\n", encoding="utf-8")


def notices(root: Path) -> str:
    """THIRD_PARTY.txt: what runs beside Aquila, what is inside the page with its full texts."""
    record = read_record(root)
    parts = [
        "Third-party software and data of Aquila\n",
        "1. Python packages, installed beside Aquila, each with its own licence file:\n",
        *(
            f"   {name} {version}: {record.get(name, UNKNOWN)}"
            for name, version, run_time in locked_python(root)
            if run_time
        ),
        "\n2. Packages whose code or fonts are inside the web page:\n",
    ]
    for package in web_packages(root):
        if package.shipped:
            parts.append(_rule(f"{package.name} {package.version}: {package.licence}"))
            parts += web_texts(root, package.name)
    parts.append("\n3. Data inside the package:\n")
    for path in sorted(_attributions(root)):
        parts.append(_rule(str(path.parent.relative_to(root))))
        parts.append(path.read_text(encoding="utf-8", errors="replace").strip())
    return "\n".join(parts) + "\n"


def _attributions(root: Path) -> Iterator[Path]:
    """Licence and attribution files that stand beside data in the repository."""
    for folder, names in ((root / "src/aquila", TEXTS), (root / "web", TEXTS), (root / "web/public", r"README\.md")):
        for path in folder.rglob("*"):
            if re.match(names, path.name, re.IGNORECASE) and path.is_file() and "static" not in path.parts:
                yield path


def web_texts(root: Path, name: str) -> list[str]:
    """The full licence texts of a web package: its own, else the one kept in tools/licences."""
    own = [
        path
        for path in sorted((root / "node_modules" / name).glob("*"))
        if re.match(TEXTS, path.name, re.IGNORECASE) and path.is_file()
    ]
    kept = root / "tools/licences" / f"{name.replace('/', '+')}.txt"
    if not own and kept.is_file():
        own = [kept]
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in own]


def _rule(title: str) -> str:
    return f"\n{'-' * 80}\n{title}\n{'-' * 80}"


def _closure(packages: dict[str, list[Any]], wanted: list[dict[str, Any]]) -> set[str]:
    """Names reached from these dependencies, extras included, on any platform."""
    reached: set[str] = set()
    asked: set[tuple[str, str]] = set()
    queue = deque(wanted)
    while queue:
        dependency = queue.popleft()
        name = dependency["name"]
        for extra in {*dependency.get("extra", []), ""} - {e for n, e in asked if n == name}:
            asked.add((name, extra))
            for package in packages[name]:
                extras = package.get("optional-dependencies", {})
                queue.extend(extras.get(extra, []) if extra else package.get("dependencies", []))
        reached.add(name)
    return reached


def _parts(expression: str) -> set[str]:
    """The licences named in an expression."""
    return set(re.split(r"\s+(?:AND|OR)\s+", expression.replace("(", "").replace(")", "").strip()))


def main() -> int:
    """Write the record; name what may not come in. Exit status 1 when anything may not."""
    root = Path(__file__).resolve().parent.parent
    write_record(root)
    refused = [refusal(package) for package in [*python_packages(root), *web_packages(root)]]
    sentences = [sentence for sentence in refused if sentence]
    print("\n".join(sentences), end="\n" if sentences else "", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
