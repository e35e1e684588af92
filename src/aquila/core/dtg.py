"""Date-time groups: how staffs write a time."""

from datetime import UTC, datetime


def dtg(at_ms: int) -> str:
    """Date-time group: 251430ZNOV2026. at_ms: UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%d%H%MZ%b%Y").upper()


__all__ = ["dtg"]
