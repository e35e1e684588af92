"""People: the principals that a node knows from its start: the operator at the desk, and the plain TCP listener."""

import msgspec
from cryptography import x509

from aquila.app.engine import Engine
from aquila.config import Settings
from aquila.core.errors import Refused, UsageError
from aquila.core.model import REAL, Act, Principal
from aquila.core.policy import Policy
from aquila.core.view import view_of
from aquila.features.access.view import OPERATOR, Access, Grant, act_of, principal_of
from aquila.features.devices import DEVICE_SWITCHED, Devices, target_of
from aquila.links.stream import Recognise

LISTENER = "listener:tcp"
UNAUTHENTICATED = "UNAUTHENTICATED"
SWITCHED_MAX = 10_000
"""Of first uses on their way into the journal, and those already there."""


def access_of(engine: Engine) -> Access:
    """The view of who may do what."""
    return view_of(engine.node.views, "access", Access)


async def ensure_operator(engine: Engine, settings: Settings) -> Principal:
    """The operator of this node; made by an act of the node at its first start.

    Raises UsageError when the journal refuses it.
    """
    node = engine.node
    access = access_of(engine)
    grant = access.grant(node.identity.node, "user", OPERATOR)
    if grant is None:
        # Who owns an exercise's node reads what exercise control plans; in a real one nothing is planned.
        groups = (
            settings.groups
            if node.context == REAL
            else tuple(dict.fromkeys((*settings.groups, node.policy.control_group)))
        )
        grant = Grant(
            kind="user",
            name=OPERATOR,
            role="admin",
            nation=settings.nation,
            clearance=settings.clearance,
            groups_in=groups,
            groups_out=groups,
        )
        written = await engine.write(act_of(grant, node.clock_ms()), node.principal, "node")
        if isinstance(written, Refused):
            raise UsageError(f"the operator cannot be made: {written.detail or written.reason}")
    return principal_of(grant, node.context)


def plain_principal(settings: Settings, context: str) -> Principal:
    """Whoever comes in by plain TCP: nobody is known there, so all share one principal with a ceiling."""
    return Principal(
        id=LISTENER,
        kind="listener",
        name="TCP",
        context=context,
        nation=settings.nation,
        clearance=settings.plain_clearance,
        groups_in=frozenset(settings.groups),
        groups_out=frozenset(settings.groups),
    )


def mesh_principal(settings: Settings, policy: Policy, context: str) -> Principal:
    """Whoever is on the mesh: unknown as on plain TCP, and what is heard there says so on every screen."""
    return Principal(
        id="listener:mesh",
        kind="listener",
        name="MESH",
        context=context,
        nation=settings.nation,
        clearance=settings.mesh_clearance,
        groups_in=frozenset(settings.groups),
        groups_out=frozenset(settings.groups),
        default_label=msgspec.structs.replace(policy.default_label, informative=(UNAUTHENTICATED,)),
    )


def recogniser(engine: Engine) -> Recognise:
    """Says which device shows a certificate: the view Devices knows, whatever the handshake let in."""
    switched: set[str] = set()

    def note_first_use(devices: Devices, name: str, serial: str) -> None:
        """The first use of a renewed certificate ends the one before it. Said once, though many connections come."""
        if serial in switched or not devices.replaces(engine.node.identity.node, name, serial):
            return
        if len(switched) >= SWITCHED_MAX:
            switched.clear()
        switched.add(serial)
        now_ms = engine.node.clock_ms()
        detail = {"serial": serial}
        engine.say(Act(action=DEVICE_SWITCHED, target=target_of(name), happened_at_ms=now_ms, detail=detail))

    def recognise(certificate: bytes | None, address: str) -> Principal | Refused:
        if certificate is None:
            return Refused("certificate", "no client certificate was shown")
        shown = x509.load_der_x509_certificate(certificate)
        ends = shown.not_valid_after_utc
        names = shown.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        name = str(names[0].value) if names else ""
        devices = engine.node.views["devices"]
        assert isinstance(devices, Devices)
        serial = f"{shown.serial_number:X}"
        serial = serial if len(serial) % 2 == 0 else f"0{serial}"
        node = engine.node
        if ends.timestamp() * 1000 <= node.clock_ms():
            # The handshake has judged it; a line that is kept open outlives the certificate.
            return Refused("expired", f"the certificate of {name} ended at {ends:%Y-%m-%d %H:%M:%SZ}")
        principal = devices.principal(node.identity.node, name, node.context, serial)
        if principal is None:
            return Refused("unknown device", f"{name} is no device in force here")
        note_first_use(devices, name, serial)
        return principal

    return recognise
