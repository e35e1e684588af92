"""Presence: which devices are connected at this moment, and since when."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from aquila.core.errors import UsageError
from aquila.core.feature import Reading
from aquila.features.devices.groups import devices_of
from aquila.features.devices.view import Device, target_of


class LinksUp(Protocol):
    """What is asked of the part `links` of a node: each has a `row` with `principal` and `since_ms`, and `is_there`."""

    def states(self) -> Iterable[Any]:
        """All links that are up."""
        ...


def device_rows(reading: Reading, *, with_revoked: bool = False) -> Iterator[Device]:
    """All devices in force, by name; then those that are no more, if they are wanted."""
    since, now_ms = _since(reading), reading.now_ms()
    for device in devices_of(reading).devices(reading.node):
        since_ms = since.get(target_of(device.name))
        yield msgspec.structs.replace(
            device,
            state="expired" if device.not_after_ms <= now_ms else "active",
            connected=since_ms is not None,
            connected_since_ms=since_ms,
        )
    if with_revoked:
        yield from devices_of(reading).revoked(reading.node)


def _since(reading: Reading) -> dict[str, int]:
    """Principal -> since when it is connected. A command with no node running has no links."""
    try:
        links: LinksUp = reading.part("links")
    except (KeyError, UsageError):
        return {}
    found: dict[str, int] = {}
    for state in links.states():
        row = state.row
        if state.is_there:
            found[row.principal] = min(row.since_ms, found.get(row.principal, row.since_ms))
    return found
