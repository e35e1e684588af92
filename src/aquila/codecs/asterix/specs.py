"""Specifications: of what libasterix generates, only the classes of the editions that are read here.

The library's module holds all categories in all editions: 9,000 classes, 300 MB of memory and four seconds when it is
imported. Its text is cut at the classes, and only those that the wanted ones name, however indirectly, are compiled.
Not a line is changed.
"""

import re
from functools import lru_cache
from importlib.abc import InspectLoader
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any, Final

from aquila.core.errors import UsageError

EDITIONS: Final = {21: "Cat_021_2_7", 34: "Cat_034_1_29", 48: "Cat_048_1_32", 62: "Cat_062_1_21"}
"""Category -> the edition that is read, by the library's name."""
_CLASS: Final = re.compile(r"^class (\w+)", re.MULTILINE)
_NAME: Final = re.compile(r"\b[A-Z][A-Za-z]+_[0-9_]+\b")
_CATEGORY: Final = re.compile(r"^ {8}(\d+): \[", re.MULTILINE)


@lru_cache(maxsize=1)
def specifications() -> tuple[dict[int, Any], frozenset[int]]:
    """The classes of the editions that are read, by category; and the numbers of all categories that there are.

    Raises UsageError when the installed library is laid out otherwise than known.
    """
    text = _source()
    head, _, rest = text.partition("\nclass ")
    body, _, manifest = f"class {rest}".partition("\nmanifest")
    classes, aliases = _cut(body)
    wanted = {number: aliases.get(edition, "") for number, edition in EDITIONS.items()}
    missing = [edition for number, edition in EDITIONS.items() if wanted[number] not in classes]
    if missing or not manifest:
        raise UsageError(f"libasterix has no {', '.join(missing) or 'manifest'}: install the version of the lock file")
    needed = _named(classes, wanted.values())
    module = ModuleType("asterix.specifications")
    # The library's own text, as its import would run it; one class at a time, for the compiler takes a hundred times
    # the memory of what it compiles, and the process would keep that.
    for part in (head, *(part for name, part in classes.items() if name in needed)):
        exec(compile(part, "libasterix, cut", "exec"), module.__dict__)  # noqa: S102
    found = {number: getattr(module, name) for number, name in wanted.items()}
    return found, frozenset(int(number) for number in _CATEGORY.findall(manifest.partition("'REFS'")[0]))


def _source() -> str:
    # As an import would find and read it, without running it.
    package = PathFinder.find_spec("asterix")
    module = package and PathFinder.find_spec("generated", package.submodule_search_locations)
    text = module and isinstance(module.loader, InspectLoader) and module.loader.get_source("generated")
    if not text:
        raise UsageError("libasterix is not installed: install Aquila with its dependencies")
    return text


def _cut(body: str) -> tuple[dict[str, str], dict[str, str]]:
    """Each class with its text; and the names that stand for one, `Cat_048_1_32: TypeAlias = Asterix_55`."""
    places = [match.start() for match in _CLASS.finditer(body)]
    parts = [body[start:end] for start, end in zip(places, [*places[1:], len(body)], strict=True)]
    classes = {part[6:].partition("(")[0].partition(":")[0]: part for part in parts}
    aliases = dict(re.findall(r"^(Cat_\w+): TypeAlias = (\w+)$", body, re.MULTILINE))
    # What stands behind the last class is no part of it.
    last = next(reversed(classes))
    classes[last] = re.split(r"^(?=\S)(?!class )", classes[last], maxsplit=1, flags=re.MULTILINE)[0]
    return classes, aliases


def _named(classes: dict[str, str], first: Any) -> set[str]:
    needed: set[str] = set()
    waiting = list(first)
    while waiting:
        name = waiting.pop()
        if name in classes and name not in needed:
            needed.add(name)
            waiting += _NAME.findall(classes[name])
    return needed
