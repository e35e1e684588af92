"""Values of a report as people read them."""

from typing import Any

from aquila.core.document import dtg


def value_text(kind: str, value: Any) -> str:
    """A value as people read it."""
    if kind == "time":
        return dtg(int(value))
    if kind == "place":
        return f"{value['lat_deg']:.5f}, {value['lon_deg']:.5f}"
    return str(value)
