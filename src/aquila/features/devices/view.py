"""Devices: a view of who may connect with a certificate, folded from the acts device.add, .revoke and .bind.

The journal is the truth; the authority's revocation list only makes the TLS handshake say the same.
"""

import msgspec

from aquila.core.model import Act, Arrival, Context, Entry, Principal, Stamp

UIDS_MAX = 8
DEVICE_ADDED, DEVICE_REVOKED, DEVICE_BOUND = "device.add", "device.revoke", "device.bind"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device and its entitlements.

    Attributes:
        groups_in: groups it may write into. groups_out: groups it may read.
        serial: of its certificate, as `ssl` writes it. not_after_ms: end of its validity, UTC.
        uids: foreign identities that it uses for itself, as far as heard.
    """

    name: str
    nation: str | None
    clearance: str
    caveats: tuple[str, ...]
    groups_in: tuple[str, ...]
    groups_out: tuple[str, ...]
    serial: str
    not_after_ms: int
    callsign: str | None = None
    uids: tuple[str, ...] = ()


class _State(msgspec.Struct, array_like=True):
    added: dict[str, tuple[Stamp, Act]]
    revoked: dict[str, Stamp]
    bound: dict[str, list[tuple[Stamp, str]]]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_State)


def target_of(name: str) -> str:
    """The principal id of a device, which acts name as their target."""
    return f"device:{name}"


class Devices:
    """Devices by name. A device is in force when its newest adding is newer than its newest revocation."""

    name = "devices"
    version = 1

    def __init__(self) -> None:
        self._state = _State({}, {}, {})
        self.turn = 0

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        # Per node: certificates of another node's authority open nothing here.
        key = f"{envelope.node}\0{act.target}"
        if act.action == DEVICE_ADDED:
            known = self._state.added.get(key)
            if known is None or envelope.stamp > known[0]:
                self._state.added[key] = (envelope.stamp, act)
        elif act.action == DEVICE_REVOKED:
            at = self._state.revoked.get(key)
            if at is None or envelope.stamp > at:
                self._state.revoked[key] = envelope.stamp
        elif act.action == DEVICE_BOUND:
            bound = self._state.bound.setdefault(key, [])
            row = (envelope.stamp, act.detail.get("uid", ""))
            if row not in bound:
                bound.append(row)
                bound.sort()
                del bound[:-UIDS_MAX]
        else:
            return
        self.turn += 1

    def snapshot(self) -> bytes:
        """See View."""
        return _encoder.encode(self._state)

    def restore(self, data: bytes) -> None:
        """See View."""
        self._state = _decoder.decode(data)
        self.turn += 1

    def devices(self, node: str) -> list[Device]:
        """All devices of this node that are in force, by name."""
        prefix = f"{node}\0"
        found = (self._device(key) for key in sorted(self._state.added) if key.startswith(prefix))
        return [device for device in found if device is not None]

    def device(self, node: str, name: str) -> Device | None:
        """The one of this name; None = unknown or revoked."""
        return self._device(f"{node}\0{target_of(name)}")

    def _device(self, key: str) -> Device | None:
        added = self._state.added.get(key)
        if added is None:
            return None
        stamp, act = added
        revoked = self._state.revoked.get(key)
        if revoked is not None and revoked > stamp:
            return None
        detail = act.detail
        not_after = detail.get("not_after_ms", "")
        uids = (uid for at, uid in self._state.bound.get(key, []) if revoked is None or at > revoked)
        return Device(
            name=act.target.removeprefix("device:"),
            nation=detail.get("nation") or None,
            clearance=detail.get("clearance", "UNCLASSIFIED"),
            caveats=_words(detail.get("caveats", "")),
            groups_in=_words(detail.get("groups_in", "")),
            groups_out=_words(detail.get("groups_out", "")),
            serial=detail.get("serial", ""),
            not_after_ms=int(not_after) if not_after.isdecimal() else 0,
            callsign=detail.get("callsign") or None,
            uids=tuple(dict.fromkeys(uids)),
        )

    def principal(self, node: str, name: str, context: Context, serial: str | None = None) -> Principal | None:
        """Who a device is that has shown a certificate; None = unknown, revoked, or not its present certificate.

        Args:
            node: this node's id.
            name: common name of the certificate.
            context: of the listener.
            serial: of the certificate; None = not compared.
        """
        device = self.device(node, name)
        if device is None or (serial is not None and serial.upper() != device.serial.upper()):
            return None
        return Principal(
            id=target_of(device.name),
            kind="device",
            name=device.callsign or device.name,
            context=context,
            nation=device.nation,
            clearance=device.clearance,
            caveats=device.caveats,
            groups_in=frozenset(device.groups_in),
            groups_out=frozenset(device.groups_out),
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted(word for word in text.split(",") if word))
