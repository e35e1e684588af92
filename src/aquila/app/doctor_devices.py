"""Doctor, devices: invitations, certificates near their end, renewals that came to nothing, who was refused and why.

A running node is asked over its control socket: it knows, and nothing is changed by asking.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aquila.app.asking import ask
from aquila.app.finding import Finding, diagnosed, found
from aquila.core.dtg import dtg
from aquila.core.errors import UsageError
from aquila.links.pki import describe

DAY_MS = 86_400_000
NEAR_END_DAYS = 30
REFUSALS_SHOWN = 5
NAMES_SHOWN = 5
Row = Mapping[str, Any]


def devices_of_node(data: Path, now_ms: int, public_names: Sequence[str]) -> Iterator[Finding]:
    """What a running node says of its devices.

    Args:
        data: the folder it holds.
        now_ms: UTC milliseconds.
        public_names: by which the settings call this node.
    """
    try:
        address = ask(data, "address", {})
        invitations = ask(data, "devices.invitations", {})
        devices = ask(data, "devices.devices", {"limit": 50_000})
        acts = ask(data, "log.entries", {"kind": "act", "newest": True, "limit": 1000})
    except UsageError as wrong:
        yield found("devices", "warn", "devices_unasked", why=str(wrong))
        return
    yield from _names(data, now_ms, [str(address["host"]), *public_names])
    yield from _invitations(invitations, now_ms, int(address["enrol"]))
    yield from _ends(devices, now_ms)
    yield from _refusals(acts)


def _names(data: Path, now_ms: int, names: Sequence[str]) -> Iterator[Finding]:
    """Is the server's certificate good for every name that stands in packages and codes?"""
    server = (data / "secrets" / "server.pem").read_bytes()
    leaf, chain = server[server.find(b"-----BEGIN CERTIFICATE-----") :], (data / "secrets" / "ca.pem").read_bytes()
    for name in dict.fromkeys(names):
        judged = describe(leaf, chain, now_ms, purpose="server", host=name)
        if judged.reason == "host":
            yield diagnosed("public name", "public_name", judged)


def _invitations(rows: Sequence[Row], now_ms: int, enrol_port: int) -> Iterator[Finding]:
    by_state = {state: [row for row in rows if row["state"] == state] for state in ("pending", "used", "expired")}
    for row in by_state["pending"][:NAMES_SHOWN]:
        left = {"minutes": max(1, (row["ends_ms"] - now_ms) // 60_000), "port": enrol_port}
        yield found("invitation", "good", "invitation_pending", name=row["name"], **left)
    if by_state["expired"]:
        yield found("invitation", "warn", "invitation_over", names=_named(by_state["expired"]))
    if by_state["used"]:
        yield found("invitation", "good", "invitation_used", names=_named(by_state["used"]))


def _named(rows: Sequence[Row]) -> str:
    names = [str(row["name"]) for row in rows]
    more = f" (+{len(names) - NAMES_SHOWN})" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _ends(devices: Sequence[Row], now_ms: int) -> Iterator[Finding]:
    for device in devices:
        days = (device["not_after_ms"] - now_ms) // DAY_MS
        if days < 0:
            yield found("device", "bad", "device_ended", name=device["name"], days=-days)
        elif days < NEAR_END_DAYS:
            until = dtg(device["not_after_ms"])
            yield found("device", "warn", "device_ends", name=device["name"], days=days, until=until)
        # A person's device has a certificate for each of his clients; any other has one, or two around a renewal.
        if device.get("person") is None and len(device["serials"]) > 1:
            yield found("device", "warn", "device_twice", name=device["name"])


def _refusals(entries: Sequence[Row]) -> Iterator[Finding]:
    """The newest refusal of each kind: why it was, and what to do."""
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        act = entry["body"]
        if act.get("action") != "device.refuse":
            continue
        detail = act["detail"]
        key = str(act["target"]), str(detail.get("reason", ""))
        if key in seen:
            continue
        seen.add(key)
        who = "?" if key[0] == "unknown" else key[0].partition(":")[2] or key[0]
        where = f" ({detail['address']})" if detail.get("address") else ""
        why = detail.get("sentence") or key[1]
        yield found("refused", "warn", "refused", at=dtg(act["happened_at_ms"]), who=f"{who}{where}", why=why)
        if len(seen) >= REFUSALS_SHOWN:
            return
