"""Metrics: the node's counts for Prometheus. Names that could hold a callsign, nation or label are left out."""

import re
from collections.abc import Mapping

_NAME = re.compile(r"[a-z][a-z0-9_ ]{0,79}\Z", re.ASCII)


def prometheus(counters: Mapping[str, float]) -> str:
    """Text exposition format 0.0.4, sorted. Only names of lower-case words, digits and spaces are let through."""
    lines = []
    for name, value in sorted(counters.items()):
        if _NAME.match(name):
            lines.append(f"aquila_{name.replace(' ', '_')} {value:g}")
    return "\n".join(lines) + "\n"
