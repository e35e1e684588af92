"""Devices: a view of who may connect with a certificate, folded from acts about devices and their certificates.

The journal is the truth; the authority's revocation list only makes the TLS handshake say the same.

A certificate that is renewed stays good until the new one is first used (`device.switch`): a phone that lost the answer
to its renewal must not be locked out. From then on it is replaced.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from aquila.core.model import Act, Arrival, Context, Entry, Principal, Stamp

UIDS_MAX = 8
CERTIFICATES_MAX = 32
"""Of one device, the newest; older ones are forgotten, and open nothing."""
TAKEN_MAX = 4 * CERTIFICATES_MAX
"""Revocations outlive what they revoke, so that none opens again by being forgotten."""
DEVICE_ADDED, DEVICE_REVOKED, DEVICE_BOUND = "device.add", "device.revoke", "device.bind"
DEVICE_RENEWED, DEVICE_SWITCHED, DEVICE_CHANNELS = "device.renew", "device.switch", "device.channels"
CERTIFICATE_REVOKED, CERTIFICATE_DELETED = "certificate.revoke", "certificate.delete"
USER_ADDED, USER_REMOVED = "user.add", "user.remove"
"""Acts of the access feature: who is removed loses the device that he enrolled, too."""
DeviceState = Literal["active", "expired", "revoked"]
CertificateState = Literal["active", "replaced", "revoked"]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device and its entitlements.

    Attributes:
        groups_in: groups it may write into. groups_out: groups it may read.
        serial: of its newest certificate, as `ssl` writes it. not_after_ms: end of its validity, UTC.
        serials: of all its certificates that are good, oldest first.
        uids: foreign identities that it uses for itself, as far as heard.
        person: the user who enrolled it under his own name, whose rights it has at every moment; None = it was added
            or invited.
        inactive: groups that its user has switched off: neither read nor written, until switched on again.
        state: expired = its newest certificate is over; revoked = it has none that opens anything any more.
        connected: is a link of it up? connected_since_ms: since when, of its oldest one, UTC; None = none is up. Filled
            by who can ask the links; the view knows nothing of them.
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
    serials: tuple[str, ...] = ()
    person: str | None = None
    inactive: tuple[str, ...] = ()
    state: DeviceState = "active"
    connected: bool = False
    connected_since_ms: int | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """All that it is in, whatever the direction, sorted."""
        return tuple(sorted({*self.groups_in, *self.groups_out}))


class DeviceCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate that was given to a device.

    Attributes:
        client: uid that the client gave for itself; "" = none. fingerprint: SHA-256, as AA:BB:...
        revoked_at_ms: None = it was not.
    """

    device: str
    serial: str
    client: str
    fingerprint: str
    issued_at_ms: int
    not_after_ms: int
    state: CertificateState
    revoked_at_ms: int | None = None


class _Issue(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A certificate that was given. begins: by an act that adds the device: a renewal alone opens nothing."""

    stamp: Stamp
    serial: str
    client: str
    fingerprint: str
    at_ms: int
    not_after_ms: int
    begins: bool


class _Rights(msgspec.Struct, frozen=True, array_like=True):
    """What somebody may, as acts say it."""

    nation: str | None
    clearance: str
    caveats: tuple[str, ...]
    groups_in: tuple[str, ...]
    groups_out: tuple[str, ...]


class _State(msgspec.Struct, array_like=True):
    """By node and principal id. Of lists the newest are kept, so that any order of arrival gives the same."""

    added: dict[str, tuple[Stamp, Act]]
    revoked: dict[str, tuple[Stamp, int]]
    bound: dict[str, list[tuple[Stamp, str]]]
    issued: dict[str, list[_Issue]]
    switched: dict[str, list[tuple[Stamp, str]]]
    taken: dict[str, list[tuple[Stamp, str, int]]]
    deleted: dict[str, list[tuple[Stamp, str]]]
    channels: dict[str, tuple[Stamp, str]]
    users: dict[str, tuple[Stamp, _Rights | None]]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_State)


def target_of(name: str) -> str:
    """The principal id of a device, which acts name as their target."""
    return f"device:{name}"


class Devices:
    """Devices by name. A device is in force when it has a certificate that is younger than its newest revocation."""

    name = "devices"
    version = 3
    hears_positions = False

    def __init__(self) -> None:
        self._state = _State({}, {}, {}, {}, {}, {}, {}, {}, {})
        self.turn = 0

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        # Per node: certificates of another node's authority open nothing here.
        if self._take(f"{envelope.node}\0{act.target}", envelope.stamp, act):
            self.turn += 1

    def _take(self, key: str, stamp: Stamp, act: Act) -> bool:
        state, detail = self._state, act.detail
        serial = detail.get("serial", "").upper()
        match act.action:
            case "device.add":
                if key not in state.added or stamp > state.added[key][0]:
                    state.added[key] = (stamp, act)
                _keep(state.issued.setdefault(key, []), _issue_of(stamp, serial, act), CERTIFICATES_MAX)
            case "device.renew":
                _keep(state.issued.setdefault(key, []), _issue_of(stamp, serial, act), CERTIFICATES_MAX)
            case "user.add" | "user.remove" if key not in state.users or stamp > state.users[key][0]:
                is_added = act.action == USER_ADDED
                state.users[key] = (stamp, _rights_of(act, detail.get("role", "")) if is_added else None)
                if act.action == USER_REMOVED:
                    self._end(key, stamp, act)
            case "device.revoke" | "user.remove":
                self._end(key, stamp, act)
            case "device.bind":
                _keep(state.bound.setdefault(key, []), (stamp, detail.get("uid", "")), UIDS_MAX)
            case "device.switch":
                _keep(state.switched.setdefault(key, []), (stamp, serial), CERTIFICATES_MAX)
            case "certificate.revoke":
                _keep(state.taken.setdefault(key, []), (stamp, serial, act.happened_at_ms), TAKEN_MAX)
            case "certificate.delete":
                _keep(state.deleted.setdefault(key, []), (stamp, serial), CERTIFICATES_MAX)
            case "device.channels":
                if key not in state.channels or stamp > state.channels[key][0]:
                    state.channels[key] = (stamp, detail.get("inactive", ""))
            case _:
                return False
        return True

    def _end(self, key: str, stamp: Stamp, act: Act) -> None:
        revoked = self._state.revoked
        if key not in revoked or stamp > revoked[key][0]:
            revoked[key] = (stamp, act.happened_at_ms)

    def snapshot(self) -> bytes:
        """See View."""
        return _encoder.encode(self._state)

    def restore(self, data: bytes) -> None:
        """See View."""
        self._state = _decoder.decode(data)
        self.turn += 1

    def devices(self, node: str) -> list[Device]:
        """All devices of this node that are in force, by name."""
        found = (self._device(key) for key in self._keys(node))
        return [device for device in found if device is not None]

    def revoked(self, node: str) -> list[Device]:
        """Those that were devices of this node and are in force no more, by name."""
        gone = (key for key in self._keys(node) if self._state.issued.get(key) and not self._good(key))
        return [self._described(key, self._state.issued[key][-1:], "revoked") for key in gone]

    def device(self, node: str, name: str) -> Device | None:
        """The one of this name; None = unknown or revoked."""
        return self._device(f"{node}\0{target_of(name)}")

    def certificates(self, node: str) -> Iterator[DeviceCertificate]:
        """All certificates that this node gave and nobody deleted from the list, by device, oldest first."""
        for key in self._keys(node):
            yield from self._certificates(key)

    def _keys(self, node: str) -> list[str]:
        prefix = f"{node}\0{target_of('')}"
        return [key for key in sorted(self._state.added) if key.startswith(prefix)]

    def _certificates(self, key: str) -> Iterator[DeviceCertificate]:
        good = {row.serial for row in self._good(key)}
        taken = {serial: at_ms for _, serial, at_ms in self._state.taken.get(key, ())}
        deleted = {serial for _, serial in self._state.deleted.get(key, ())}
        ended = self._ended(key)
        for row in self._state.issued.get(key, ()):
            revoked_at_ms = taken.get(row.serial)
            if revoked_at_ms is None and ended is not None and ended[0] > row.stamp:
                revoked_at_ms = ended[1]
            if row.serial in deleted:
                continue
            yield DeviceCertificate(
                device=_name_of(key),
                serial=row.serial,
                client=row.client,
                fingerprint=row.fingerprint,
                issued_at_ms=row.at_ms,
                not_after_ms=row.not_after_ms,
                state="revoked" if revoked_at_ms is not None else "active" if row.serial in good else "replaced",
                revoked_at_ms=revoked_at_ms,
            )

    def _ended(self, key: str) -> tuple[Stamp, int] | None:
        """When the device was revoked, or the person whose device it is was removed; None = never."""
        revoked = self._state.revoked.get(key)
        person = self._person(key)
        removed = self._state.revoked.get(person) if person else None
        return max((each for each in (revoked, removed) if each is not None), default=None)

    def _person(self, key: str) -> str | None:
        """Key of the person who enrolled the device; None = nobody did."""
        person = self._state.added[key][1].detail.get("person")
        return f"{key.partition(chr(0))[0]}\0{person}" if person else None

    def _series(self, key: str) -> list[_Issue]:
        """What was given since the device was added anew, oldest first.

        An enrolment or renewal that was on its way when somebody was revoked or removed opens nothing.
        """
        person = self._person(key)
        if person is not None and self._state.users.get(person, (None, None))[1] is None:
            return []
        ended = self._ended(key)
        rows = [row for row in self._state.issued.get(key, ()) if ended is None or row.stamp > ended[0]]
        # Of a long series the beginning is forgotten: then all that is left stands behind it.
        is_begun = ended is None or self._state.added[key][0] > ended[0]
        first = next((index for index, row in enumerate(rows) if row.begins), 0)
        return rows[first:] if is_begun else []

    def _good(self, key: str) -> list[_Issue]:
        """The certificates that open something: of each client the newest, and those before it until it is used."""
        taken = {serial for _, serial, _ in self._state.taken.get(key, ())}
        used = {serial for _, serial in self._state.switched.get(key, ())}
        by_client: dict[str, list[_Issue]] = {}
        for row in self._series(key):
            if row.serial not in taken:
                rows = by_client.setdefault(row.client, [])
                if row.serial in used:
                    rows.clear()
                rows.append(row)
        return sorted(row for rows in by_client.values() for row in rows)

    def _device(self, key: str) -> Device | None:
        added = self._state.added.get(key)
        good = self._good(key) if added is not None else []
        return None if not good else self._described(key, good, "active")

    def _described(self, key: str, rows: list[_Issue], state: DeviceState) -> Device:
        """The device with these certificates, of which there is at least one."""
        detail = self._state.added[key][1].detail
        rights = self._rights(key)
        ended = self._ended(key)
        channels = self._state.channels.get(key)
        uids = (uid for at, uid in self._state.bound.get(key, ()) if ended is None or at > ended[0])
        return Device(
            name=_name_of(key),
            nation=rights.nation,
            clearance=rights.clearance,
            caveats=rights.caveats,
            groups_in=rights.groups_in,
            groups_out=rights.groups_out,
            serial=rows[-1].serial,
            not_after_ms=rows[-1].not_after_ms,
            state=state,
            callsign=detail.get("callsign") or None,
            uids=tuple(dict.fromkeys(uids)),
            serials=tuple(row.serial for row in rows),
            person=detail.get("person") or None,
            inactive=() if channels is None or (ended and ended[0] > channels[0]) else _words(channels[1]),
        )

    def _rights(self, key: str) -> _Rights:
        """Of a person's device those that he has at this moment, and not those that he had when he enrolled it."""
        person = self._person(key)
        now = None if person is None else self._state.users.get(person, (None, None))[1]
        return _rights_of(self._state.added[key][1]) if now is None else now

    def principal(self, node: str, name: str, context: Context, serial: str | None = None) -> Principal | None:
        """Who a device is that has shown a certificate; None = unknown, revoked, or not a good certificate of it.

        Its groups are those that its user has not switched off.

        Args:
            node: this node's id.
            name: common name of the certificate.
            context: of the listener.
            serial: of the certificate; None = not compared.
        """
        device = self.device(node, name)
        if device is None or (serial is not None and serial.upper() not in device.serials):
            return None
        inactive = frozenset(device.inactive)
        return Principal(
            id=target_of(device.name),
            kind="device",
            name=device.callsign or device.name,
            context=context,
            nation=device.nation,
            clearance=device.clearance,
            caveats=device.caveats,
            groups_in=frozenset(device.groups_in) - inactive,
            groups_out=frozenset(device.groups_out) - inactive,
        )

    def renewed_before(self, node: str, at_ms: int) -> list[DeviceCertificate]:
        """Certificates that are still good although a newer one was given to the same client before this time (UTC)."""
        found: list[DeviceCertificate] = []
        for key in self._keys(node):
            good = self._good(key)
            newest = {row.client: row.at_ms for row in good}
            old = {row.serial for row in good if row.at_ms < newest[row.client] <= at_ms}
            if old:
                found += (each for each in self._certificates(key) if each.serial in old)
        return found

    def replaces(self, node: str, name: str, serial: str) -> bool:
        """Would the first use of this certificate end another one of the same client?"""
        rows = self._good(f"{node}\0{target_of(name)}") if self.device(node, name) is not None else []
        shown = next((row for row in rows if row.serial == serial.upper()), None)
        return shown is not None and any(row.client == shown.client and row < shown for row in rows)


def _issue_of(stamp: Stamp, serial: str, act: Act) -> _Issue:
    detail = act.detail
    not_after = detail.get("not_after_ms", "")
    return _Issue(
        stamp=stamp,
        serial=serial,
        client=detail.get("client", ""),
        fingerprint=detail.get("fingerprint", ""),
        at_ms=act.happened_at_ms,
        not_after_ms=int(not_after) if not_after.isdecimal() else 0,
        begins=act.action == DEVICE_ADDED,
    )


def _rights_of(act: Act, role: str = "") -> _Rights:
    """What the act gives. Who may only look (role viewer) writes nowhere, with whatever device."""
    detail = act.detail
    return _Rights(
        nation=detail.get("nation") or None,
        clearance=detail.get("clearance", "UNCLASSIFIED"),
        caveats=_words(detail.get("caveats", "")),
        groups_in=() if role == "viewer" else _words(detail.get("groups_in", "")),
        groups_out=_words(detail.get("groups_out", "")),
    )


def _keep(rows: list[Any], row: Any, limit: int) -> None:
    if row not in rows:
        rows.append(row)
        rows.sort()
        del rows[:-limit]


def _name_of(key: str) -> str:
    return key.partition("\0")[2].removeprefix(target_of(""))


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted(word for word in text.split(",") if word))


def joined(groups: Iterable[str]) -> str:
    """Groups as acts hold them."""
    return ",".join(sorted(groups))
