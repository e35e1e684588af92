"""Values of a report as people read them."""

from typing import Any

from aquila.core.dtg import dtg
from aquila.core.tongue import Tongue


def value_text(kind: str, value: Any, tongue: Tongue) -> str:
    """A value as people read it; one that was chosen, in their language."""
    if kind == "time":
        return dtg(int(value))
    if kind == "place":
        return f"{value['lat_deg']:.5f}, {value['lon_deg']:.5f}"
    return tongue.read("form", str(value)) if kind == "choice" else str(value)
