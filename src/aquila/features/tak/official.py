"""What the official server answers: a client is told "not here" (501) in other words than "no such path" (404)."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

SERVLET = "SERVLET"
_BELOW = "*"
_PART = "{}"


class OfficialPaths:
    """Methods and paths of the official server.

    Args:
        lines: `METHOD /path`, parts in braces; SERVLET = any method, `/*` = and what stands below. # = a remark.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.rows: tuple[tuple[str, str], ...] = tuple(
            (method, path)
            for line in lines
            if line and not line.startswith("#")
            for method, _, path in [line.strip().partition(" ")]
        )
        self._root: dict[str, Any] = {}
        for method, path in self.rows:
            place = self._root
            for part in path.strip("/").split("/"):
                place = place.setdefault(_PART if part.startswith("{") else part, {})
            place.setdefault("", set()).add(method)

    def has(self, method: str, path: str) -> bool:
        """Does the official server answer this?"""
        return self._has(self._root, path.strip("/").split("/"), "GET" if method == "HEAD" else method)

    def _has(self, place: dict[str, Any], parts: Sequence[str], method: str) -> bool:
        if _BELOW in place:
            return True
        if not parts:
            return bool({method, SERVLET} & place.get("", set()))
        first, rest = parts[0], parts[1:]
        return bool(first) and any(self._has(place[key], rest, method) for key in (first, _PART) if key in place)


def load_official() -> OfficialPaths:
    """The table beside this file."""
    text = (files("aquila.features.tak") / "official.txt").read_text(encoding="utf-8")
    return OfficialPaths(text.splitlines())
