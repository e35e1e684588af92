"""Doctor, devices: invitations, certificates near their end, renewals that came to nothing, who was refused and why.

A running node is asked over its control socket: it knows, and nothing is changed by asking.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aquila.app.asking import ask
from aquila.app.finding import Finding
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
        yield Finding("devices", "warn", f"the node could not be asked: {wrong}")
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
        found = describe(leaf, chain, now_ms, purpose="server", host=name)
        if found.reason == "host":
            yield Finding("public name", "bad", found.sentence)


def _invitations(rows: Sequence[Row], now_ms: int, enrol_port: int) -> Iterator[Finding]:
    by_state = {state: [row for row in rows if row["state"] == state] for state in ("pending", "used", "expired")}
    for row in by_state["pending"][:NAMES_SHOWN]:
        left_min = max(1, (row["ends_ms"] - now_ms) // 60_000)
        sentence = (
            f"{row['name']} has not come yet, its token is good for {left_min} minutes more: the phone must reach port"
            f" {enrol_port} and must have imported the package of this node"
        )
        yield Finding("invitation", "good", sentence)
    if by_state["expired"]:
        sentence = f"nobody came in time for {_named(by_state['expired'])}: invite anew, the token is over"
        yield Finding("invitation", "warn", sentence)
    if by_state["used"]:
        yield Finding("invitation", "good", f"used within the last week: {_named(by_state['used'])}")


def _named(rows: Sequence[Row]) -> str:
    names = [str(row["name"]) for row in rows]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _ends(devices: Sequence[Row], now_ms: int) -> Iterator[Finding]:
    for device in devices:
        days = (device["not_after_ms"] - now_ms) // DAY_MS
        if days < 0:
            sentence = f"certificate of {device['name']} ended {-days} days ago: revoke the device and invite it anew"
            yield Finding("device", "bad", sentence)
        elif days < NEAR_END_DAYS:
            sentence = (
                f"certificate of {device['name']} ends in {days} days and was not renewed: enrol the device anew, or"
                f" revoke it and invite it anew before {_day(device['not_after_ms'])}"
            )
            yield Finding("device", "warn", sentence)
        # A person's device has a certificate for each of his clients; any other has one, or two around a renewal.
        if device.get("person") is None and len(device["serials"]) > 1:
            sentence = (
                f"{device['name']} got a new certificate and still uses the old one: let it connect once with the new"
                " one; the old one is taken back 30 days after the renewal"
            )
            yield Finding("device", "warn", sentence)


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
        who = "somebody" if key[0] == "unknown" else key[0]
        where = f" from {detail['address']}" if detail.get("address") else ""
        why = detail.get("sentence") or key[1]
        yield Finding("refused", "warn", f"{_day(act['happened_at_ms'])} {who}{where}: {why}")
        if len(seen) >= REFUSALS_SHOWN:
            return


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%MZ}"
